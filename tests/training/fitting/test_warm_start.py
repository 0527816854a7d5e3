"""`training/fitting/warm_start.py`: a new ranker starts where another one ended."""

from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
import torch

from registry import store
from registry.artefact.card import InvalidRanker
from registry.artefact.files import WEIGHTS_FILE
from registry.artefact.weights import fetch_weights
from registry.errors import InvalidInput
from tests.conftest import tracking
from tests.rankers import fetched, write_ranker
from traffic.length_log import read_length_log
from training.config import TrainingConfig
from training.fitting.fit import fit
from training.fitting.warm_start import with_fetched_start
from training.judging.config import EvaluationConfig
from training.judging.evaluate import evaluate
from training.network.encoder import load_network, load_weights
from training.train import split, train

CHAMPION = "models:/pars-first@champion"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, workload_log: Path, tiny_encoder: Path) -> Iterator[TrainingConfig]:
    """What the champion of the target LLM `first` was trained with, in a store of its own."""
    folder = tmp_path_factory.mktemp("warm")
    config = TrainingConfig(
        lengths=workload_log,
        target_llm="first",
        encoder=str(tiny_encoder),
        trials=0,
        epochs=8,
        batch_prompts=16,
        learning_rate=1e-2,
    )
    with tracking(f"sqlite:///{folder / 'mlflow.db'}"):
        mlflow.set_experiment(experiment_id=mlflow.create_experiment("warm", (folder / "artifacts").as_uri()))
        train(config)
        store.promote("first")
        yield config


def warm(first: TrainingConfig, **changes: object) -> TrainingConfig:
    return first.with_values({"target_llm": "second", "init_from": CHAMPION, "max_prompts": 16, "epochs": 1, **changes})


def test_a_warm_start_keeps_what_the_other_ranker_learned(first: TrainingConfig) -> None:
    hardly = {"learning_rate": 1e-6}
    started = train(warm(first, **hardly))
    (run,) = mlflow.search_runs(search_all_experiments=True, max_results=1, output_format="list")
    assert run.data.params["init_from"] == CHAMPION
    assert run.data.params["init_from_sha256"] == fetch_weights("models:/pars-first/1")[0].sha256[WEIGHTS_FILE]
    cold = train(warm(first, **hardly, init_from=None, target_llm="cold"))
    uris = tuple(f"models:/{name}/1" for name in ("pars-first", started.name, cold.name))
    evaluation = evaluate(EvaluationConfig(rankers=uris, lengths=first.lengths))
    taus = {result.ranker: result.metrics["kendall_tau_b"] for result in evaluation.results}
    assert taus[uris[1]] == pytest.approx(taus[uris[0]], abs=0.02)
    assert taus[uris[1]] > taus[uris[2]] + 0.2
    first_and_cold = evaluation.comparisons[first.lengths.stem][1]
    assert (first_and_cold.second, first_and_cold.is_real) == (uris[2], True)


def test_encoder_and_head_start_as_the_float_weights_that_were_kept(first: TrainingConfig) -> None:
    card, weights = fetch_weights(CHAMPION)
    network, fresh = (load_network(first.encoder, first.max_tokens) for _ in range(2))
    load_weights(network, weights)
    assert card.target_llm == "first"
    changed = {name for name, one in fresh.state_dict().items() if not torch.equal(one, network.state_dict()[name])}
    assert {"weight", "bias"} <= changed
    assert any(name.startswith("encoder.encoder.layer") for name in changed)


def test_weights_stay_with_the_run_and_no_server_downloads_them(first: TrainingConfig) -> None:
    folder = fetched("first", 1)
    assert {path.name for path in folder.iterdir()} == {"ranker.onnx", "instant.onnx", "tokenizer.json", "card.json"}
    _, weights = fetch_weights("models:/pars-first/1")
    assert folder not in weights.parents


def test_a_folder_is_a_start_too(first: TrainingConfig, tmp_path: Path) -> None:
    from training.train import train_folder

    train_folder(warm(first), tmp_path / "a")
    config = with_fetched_start(warm(first, init_from=str(tmp_path / "a")))
    assert config.init_from == str(tmp_path / "a")
    splits = split(config, read_length_log(config))
    network, _ = fit(config.with_values({"learning_rate": 1e-9}), splits.train, splits.validation)
    kept = load_network(first.encoder, first.max_tokens)
    load_weights(kept, tmp_path / "a" / WEIGHTS_FILE)
    torch.testing.assert_close(network.weight, kept.weight)


def test_a_ranker_of_another_encoder_is_refused_before_any_training(first: TrainingConfig) -> None:
    with pytest.raises(InvalidInput, match="same encoder, but models:/pars-first@champion was trained with"):
        train(warm(first, encoder=TrainingConfig.encoder, target_llm="third"))
    with pytest.raises(store.RegistryError, match="no ranker is registered"):
        store.promote("third")


def test_an_encoder_that_changed_under_its_name_is_refused(first: TrainingConfig) -> None:
    _, weights = fetch_weights(CHAMPION)
    with pytest.raises(InvalidInput, match="do not fit"):
        load_weights(load_network(TrainingConfig.encoder, 128), weights)


def test_without_a_start_nothing_changes(first: TrainingConfig) -> None:
    assert with_fetched_start(first) is first


def test_a_ranker_without_float_weights_is_refused(first: TrainingConfig, tmp_path: Path) -> None:
    folder = write_ranker(tmp_path / "old")
    with pytest.raises(InvalidRanker, match=r"names no weights\.safetensors; train that ranker anew"):
        with_fetched_start(warm(first, init_from=str(folder)))
