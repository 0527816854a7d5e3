"""Loading a ranker's folder, and what it predicts."""

import pickle
from pathlib import Path

import pytest

from registry.artefact.card import CARD_FILE, InvalidRanker, RankerCard
from registry.artefact.files import INSTANT_FILE, MOST_INSTANT_BYTES, ONNX_FILE, TOKENIZER_FILE, sha256_of
from registry.ranker import Ranker
from registry.request import UnrankableContent
from registry.request_features import view_of
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


def test_request_is_read_with_what_it_asks_for(tmp_path: Path) -> None:
    weights = {"temperature": 10.0, "log_max_tokens": 1.0}
    ranker = Ranker.load(write_ranker(tmp_path / "ranker", instant_weight=2, feature_weights=weights))
    views = [view_of("one two", params) for params in (None, {}, {"temperature": 0.5}, {"temperature": 1})]
    assert ranker.scorer.score_all(["one two", *views]).tolist() == [2, 2, 2, 7, 12]
    assert [ranker.predict(view, "instant").score for view in views] == [4, 4, 9, 14]
    places = ranker.quantiles_of([*views, *views])
    assert len({*places.tolist()}) == 3 and places.tolist() == [ranker.predict(view).quantile for view in views * 2]
    with pytest.raises(UnrankableContent):
        ranker.predict(view_of(" ", {"temperature": 1}))


def test_ranker_that_reads_the_text_alone_takes_requests_too(folder: Path) -> None:
    assert Ranker.load(folder).predict(view_of("one two", {"temperature": 1})).score == 2


@pytest.mark.parametrize("changes", [{"features_version": "request-0"}, {"features": ("mood",)}])
def test_other_features_are_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(InvalidRanker, match="must read the request's features 'request-1'"):
        Ranker.load(write_ranker(tmp_path / "ranker", feature_weights={"temperature": 1.0}, **changes))


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


@pytest.fixture
def two_tiers(tmp_path: Path) -> Path:
    return write_ranker(tmp_path / "two-tiers", instant_weight=2.0)


def test_each_tier_has_its_own_scores_and_the_encoder_is_asked_unless_said(two_tiers: Path) -> None:
    ranker = Ranker.load(two_tiers)
    assert ranker.tiers == ("encoder", "instant")
    assert ranker.predict("one two") == ranker.predict("one two", "encoder")
    assert ranker.predict("one two", "instant").score == 2 * ranker.predict("one two").score
    places = ranker.quantiles_of(["one two", "one two three"], tier="instant")
    assert places.tolist() == [ranker.predict("one two", "instant").quantile, ranker.quantile_of(6, "instant")]


def test_instant_tier_reads_head_and_tail_of_a_long_text(two_tiers: Path) -> None:
    ranker = Ranker.load(two_tiers)
    assert ranker.predict("a " * 128 + "b " * 9000 + "c " * 128, "instant").score == 2 * 256 - 4, (
        "two tokens are special"
    )


def test_ranker_of_0_1_0_has_one_tier_and_says_so_when_asked_for_the_other(folder: Path) -> None:
    ranker = Ranker.load(folder)
    assert ranker.tiers == ("encoder",)
    with pytest.raises(InvalidRanker, match=r"has the tiers encoder, but 'instant' was asked for; train it anew"):
        ranker.predict("one", "instant")


def test_instant_tier_that_is_changed_missing_or_too_large_is_refused(two_tiers: Path) -> None:
    path = two_tiers / INSTANT_FILE
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(InvalidRanker, match="sha256"):
        Ranker.load(two_tiers)
    with path.open("ab") as file:
        file.truncate(MOST_INSTANT_BYTES + 1)
    card = RankerCard.read(two_tiers)
    card.model_copy(update={"sha256": {**card.sha256, INSTANT_FILE: sha256_of(path)}}).write(two_tiers)
    with pytest.raises(InvalidRanker, match="at most 15,000,000 bytes, but has 15,000,001"):
        Ranker.load(two_tiers)
    path.unlink()
    with pytest.raises(InvalidRanker, match=INSTANT_FILE):
        Ranker.load(two_tiers)
