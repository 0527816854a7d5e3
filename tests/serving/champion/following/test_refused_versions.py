"""A version that cannot be served is refused with its reason, and the old one keeps serving."""

from collections.abc import Callable
from math import isnan
from pathlib import Path

import mlflow
import pytest
from prometheus_client import REGISTRY

from registry import store
from registry.artefact.card import RankerCard, ReferenceScores
from registry.artefact.files import ONNX_FILE, RANKER_FILES, TOKENIZER_FILE, sha256_of
from serving.champion.follower import ChampionFollower
from serving.champion.ranker_copies import RankerCopies
from tests.rankers import fetched, write_ranker
from tests.serving.champion.following.looks import register_another_kind_of_model, reloads, served, started


async def test_version_that_does_not_load_is_refused_once_and_the_old_one_keeps_serving(
    follower: ChampionFollower, caplog: pytest.LogCaptureFixture
) -> None:
    before = reloads("refused")
    await follower.look()
    store.promote("demo-llm", 3)
    await follower.look()
    await follower.look()
    assert served(follower).version == 1
    assert reloads("refused") == before + 1
    assert "Version 3 is refused, version 1 keeps serving" in caplog.text
    store.promote("demo-llm", 2)
    await follower.look()
    assert served(follower).version == 2


async def test_ranker_that_scores_otherwise_on_this_machine_is_served_and_counted(
    follower: ChampionFollower, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def error() -> float | None:
        return REGISTRY.get_sample_value("pars_ranker_reference_error", {"target_llm": "demo-llm"})

    await started(follower)
    assert isnan(error() or 0), "the cards of the tests' rankers have no reference scores"
    for there, off in ((2.0, 0.0), (2.5, 0.5)):  # a score of 2 is right here
        reference = ReferenceScores(prompts=("one two",), scores=(there,), spread=1.0)
        with mlflow.start_run():
            version = store.register(write_ranker(tmp_path / str(there), reference=reference))
        store.promote("demo-llm", version)
        await follower.look()
        assert served(follower).version == version
        assert error() == off
        assert ("its scores are off by 0.500" in caplog.text) == (off > 0)


def change_card(folder: Path, **changes: object) -> None:
    """Spoil the card of a version, whoever did it, after it was registered."""
    RankerCard.read(folder).model_copy(update=changes).write(folder)


def corrupt(folder: Path) -> None:
    """A file that does not load, though its digest is right."""
    (folder / ONNX_FILE).write_bytes(b"not a network")
    card = RankerCard.read(folder)
    change_card(folder, sha256={**card.sha256, ONNX_FILE: sha256_of(folder / ONNX_FILE)})


def change_one_byte(folder: Path) -> None:
    content = bytearray((folder / ONNX_FILE).read_bytes())
    content[-1] ^= 1
    (folder / ONNX_FILE).write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda folder: change_card(folder, target_llm="other-llm"), "must be trained for 'demo-llm'"),
        (lambda folder: change_card(folder, text_rendering="another-0"), "trained on 'another-0'"),
        (corrupt, "does not load"),
        (change_one_byte, "its sha256 differs"),
        (lambda folder: (folder / TOKENIZER_FILE).unlink(), "has none"),
    ],
    ids=["wrong target", "other text rendering", "corrupt file", "failed digest", "missing file"],
)
async def test_version_that_does_not_match_is_refused_with_its_reason(
    follower: ChampionFollower,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[Path], None],
    reason: str,
) -> None:
    before = reloads("refused")
    await follower.look()
    folder = fetched("demo-llm", 2)
    registered = {name: (folder / name).read_bytes() for name in RANKER_FILES}
    spoil(folder)
    try:
        store.promote("demo-llm", 2)
        await follower.look()
    finally:
        for name, content in registered.items():
            (folder / name).write_bytes(content)
    assert served(follower).version == 1
    assert served(follower).ranker.predict("one two").score == 2
    assert reloads("refused") == before + 1
    assert "Version 2 is refused, version 1 keeps serving" in caplog.text
    assert reason in caplog.text


async def test_refused_version_is_not_cached(follower: ChampionFollower, cache: RankerCopies) -> None:
    await follower.look()
    store.promote("demo-llm", 3)
    await follower.look()
    with cache.last("demo-llm") as found:
        assert found is not None and found[0] == 1


async def test_version_that_is_no_ranker_is_refused_once_and_never_downloaded(
    follower: ChampionFollower,
    cache: RankerCopies,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await started(follower)
    register_another_kind_of_model(tmp_path)
    before = reloads("refused")
    had: list[str] = []
    download = mlflow.artifacts.download_artifacts

    def note_and_download(artifact_uri: str, dst_path: str) -> str:
        had.append(artifact_uri)
        return download(artifact_uri=artifact_uri, dst_path=dst_path)

    monkeypatch.setattr(mlflow.artifacts, "download_artifacts", note_and_download)
    store.promote("demo-llm", 4)
    for _ in range(3):
        await follower.look()
    assert (served(follower).version, follower.finding, reloads("refused")) == (1, "refused", before + 1)
    assert [uri.rpartition("/")[2] for uri in had] == ["MLmodel"]
    assert "Version 4 is refused, version 1 keeps serving: a ranker's folder holds ranker.onnx" in caplog.text
