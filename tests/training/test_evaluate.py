"""`training/evaluate.py`."""

from pathlib import Path

import mlflow
import pytest

from registry import store
from registry.card import InvalidRanker
from tests.training.tiny import TARGET_LLM, TinyTraining
from training.config import TrainingError
from training.evaluate import EvaluationConfig, evaluate
from training.length_log import read_length_log


def test_an_evaluation_repeats_the_training_s_test_metrics(tiny_store: TinyTraining) -> None:
    uri = f"models:/{store.model_name(TARGET_LLM)}/{tiny_store.version}"
    results = evaluate(EvaluationConfig(rankers=(uri,), lengths=tiny_store.config.lengths))
    card = store.load_ranker(uri).card
    assert results[uri] == pytest.approx(card.metrics)
    run = mlflow.last_active_run()
    assert run is not None
    assert mlflow.get_run(run.info.run_id).data.metrics["kendall_tau_b"] == results[uri]["kendall_tau_b"]


def test_several_rankers_have_a_nested_run_each(tiny_store: TinyTraining) -> None:
    uri = f"models:/{store.model_name(TARGET_LLM)}/{tiny_store.version}"
    folder = str(store.fetch(TARGET_LLM, tiny_store.version))
    config = EvaluationConfig(rankers=(uri, folder), lengths=tiny_store.config.lengths, max_prompts=10)
    results = evaluate(config)
    assert results[uri] == results[folder]
    assert results[uri]["test_prompts"] == 10
    (parent,) = mlflow.search_runs(
        [tiny_store.experiment_id], "params.used_test_prompts = '10' and params.split = 'test'", output_format="list"
    )
    children = mlflow.search_runs(
        [tiny_store.experiment_id], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'", output_format="list"
    )
    assert {child.data.params["ranker"] for child in children} == {uri, folder}
    assert parent.data.params["data_digest"] == read_length_log(config).digest


@pytest.mark.parametrize(
    ("uri", "error"),
    [
        ("models:/pars-nobody@champion", store.RegistryError),
        ("models:/pars-nobody/1", store.RegistryError),
        ("no/such/folder", InvalidRanker),
    ],
)
def test_an_unknown_ranker_ends_before_any_run(
    tiny_store: TinyTraining, workload_log: Path, uri: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        evaluate(EvaluationConfig(rankers=(uri,), lengths=workload_log))


def test_an_evaluation_of_nothing_is_refused(workload_log: Path) -> None:
    with pytest.raises(TrainingError, match="at least one ranker"):
        EvaluationConfig(rankers=(), lengths=workload_log)
    with pytest.raises(TrainingError, match="max_prompts must be at least 2"):
        EvaluationConfig(rankers=("a",), lengths=workload_log, max_prompts=1)
