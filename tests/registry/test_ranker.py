"""Loading a ranker's folder, and what it predicts."""

import pickle
from pathlib import Path

import pytest

from registry.artefact.card import CARD_FILE, InvalidRanker, RankerCard
from registry.ranker import ONNX_FILE, TOKENIZER_FILE, Ranker
from registry.request import UnrankableContent
from tests.rankers import write_ranker
from tests.registry.planted import Planted


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_ranker(tmp_path / "ranker")


def test_higher_score_means_longer(folder: Path) -> None:
    ranker = Ranker.load(folder, "demo-llm")
    short, long = ranker.predict("Hi"), ranker.predict("Write a long story about the sea and its many fish")
    assert short.score < long.score
    assert short.predicted_tokens < long.predicted_tokens
    assert 0 < short.quantile < long.quantile < 1


def test_empty_prompt_is_not_ranked(folder: Path) -> None:
    with pytest.raises(UnrankableContent):
        Ranker.load(folder).predict(" ")


def test_score_that_is_not_finite_is_an_error(tmp_path: Path) -> None:
    ranker = Ranker.load(write_ranker(tmp_path / "ranker", weight=float("nan")))
    with pytest.raises(FloatingPointError, match="finite"):
        ranker.predict("Hi")


def test_score_does_not_depend_on_its_neighbours(folder: Path) -> None:
    scorer = Ranker.load(folder).scorer
    prompts = ["Hi", "A longer prompt than that", "😀 שלום"]
    assert scorer.score_all(prompts).tolist() == [scorer.score(prompt) for prompt in prompts]


def test_other_target_llm_is_refused(folder: Path) -> None:
    with pytest.raises(InvalidRanker, match="'other-llm', but its card says 'demo-llm'"):
        Ranker.load(folder, "other-llm")


def test_other_text_rendering_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRanker, match="another-0"):
        Ranker.load(write_ranker(tmp_path / "ranker", text_rendering="another-0"))


@pytest.mark.parametrize("name", [ONNX_FILE, TOKENIZER_FILE])
def test_changed_file_is_refused(folder: Path, name: str) -> None:
    with (folder / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(InvalidRanker, match="sha256"):
        Ranker.load(folder)


@pytest.mark.parametrize("name", [ONNX_FILE, TOKENIZER_FILE, CARD_FILE])
def test_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(InvalidRanker, match=name):
        Ranker.load(folder)


def test_network_that_does_not_load_is_refused(tmp_path: Path) -> None:
    folder = write_ranker(tmp_path / "ranker")
    (folder / ONNX_FILE).write_bytes(b"not a graph")
    with pytest.raises(InvalidRanker):
        Ranker.load(folder)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"target_llm": "x", "surprise": 1}'])
def test_card_that_is_none_is_refused(folder: Path, content: str) -> None:
    (folder / CARD_FILE).write_text(content)
    with pytest.raises(InvalidRanker, match=CARD_FILE):
        Ranker.load(folder)


def test_card_survives_writing(folder: Path, tmp_path: Path) -> None:
    card = RankerCard.read(folder)
    card.write(tmp_path)
    assert RankerCard.read(tmp_path) == card


def test_pickle_in_the_folder_is_not_touched(folder: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    for name in ("python_model.pkl", "model.pkl", "ranker.onnx.data"):
        (folder / name).write_bytes(pickle.dumps(Planted(trace)))
    Ranker.load(folder).predict("Hi")
    assert not trace.exists()
