"""`registry/artefact/weights.py`: float weights in a real store."""

from pathlib import Path

import mlflow
import pytest

from registry import store
from registry.artefact.card import InvalidRanker, RankerCard
from registry.artefact.files import WEIGHTS_FILE, sha256_of
from registry.artefact.weights import fetch_weights
from tests.rankers import fetched, write_ranker


def with_weights(folder: Path) -> Path:
    """A ranker with a file of float weights; what is in it is not looked at here."""
    write_ranker(folder)
    (folder / WEIGHTS_FILE).write_bytes(b"float weights")
    card = RankerCard.read(folder)
    digests = card.sha256 | {WEIGHTS_FILE: sha256_of(folder / WEIGHTS_FILE)}
    card.model_copy(update={"sha256": digests}).write(folder)
    return folder


def register(folder: Path) -> str:
    with mlflow.start_run() as run:
        store.register(with_weights(folder))
    store.promote("demo-llm")
    return str(run.info.run_id)


def test_weights_come_back_by_alias_version_and_folder(registry: str, tmp_path: Path) -> None:
    run_id = register(tmp_path / "ranker")
    name = store.model_name("demo-llm")
    for uri in (f"models:/{name}@champion", f"models:/{name}/1", str(tmp_path / "ranker")):
        card, path = fetch_weights(uri)
        assert card.target_llm == "demo-llm"
        assert path.read_bytes() == b"float weights"
    assert WEIGHTS_FILE in {one.path for one in mlflow.MlflowClient().list_artifacts(run_id)}
    assert not list(fetched("demo-llm", 1).parents[1].rglob(WEIGHTS_FILE))  # a server downloads all of this


def test_a_ranker_scores_without_its_weights(registry: str, tmp_path: Path) -> None:
    folder = with_weights(tmp_path / "ranker")
    (folder / WEIGHTS_FILE).unlink()
    assert store.load_ranker(str(folder)).scorer.score("Hi there") == 2
    with pytest.raises(InvalidRanker, match=f"holds {WEIGHTS_FILE}"):
        fetch_weights(str(folder))


def test_changed_weights_are_refused(tmp_path: Path) -> None:
    folder = with_weights(tmp_path / "ranker")
    (folder / WEIGHTS_FILE).write_bytes(b"other weights")
    with pytest.raises(InvalidRanker, match="its sha256 differs"):
        fetch_weights(str(folder))


def test_weights_that_the_run_lost_are_missed_by_name(registry: str, tmp_path: Path) -> None:
    register(tmp_path / "ranker")
    _, path = fetch_weights(f"models:/{store.model_name('demo-llm')}/1")
    path.unlink()
    with pytest.raises(store.RegistryError, match="float weights of models:/pars-demo-llm/1 must be among"):
        fetch_weights("models:/pars-demo-llm/1")


def test_a_ranker_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRanker, match=f"names no {WEIGHTS_FILE}"):
        fetch_weights(str(write_ranker(tmp_path / "ranker")))
