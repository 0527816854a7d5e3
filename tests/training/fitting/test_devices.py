"""Training with two processes (`-P devices=2`): one ranker comes out, and it has learned."""

from pathlib import Path

import mlflow
import pytest

from registry import store
from tests.conftest import tracking
from training.config import TrainingConfig
from training.fitting.module import LOSS, VALIDATION_TAU
from training.train import train

pytestmark = pytest.mark.slow


def test_two_processes_register_one_ranker_that_learned(tmp_path: Path, workload_log: Path) -> None:
    config = TrainingConfig(
        lengths=workload_log,
        target_llm="llm",
        trials=1,
        trial_prompts=64,
        devices=2,
        strategy="ddp",
        batch_prompts=16,
        test_prompts=50,
    )
    with tracking(f"sqlite:///{tmp_path / 'mlflow.db'}"):
        experiment = mlflow.create_experiment("devices", (tmp_path / "artifacts").as_uri())
        mlflow.set_experiment(experiment_id=experiment)
        trained = train(config)
        client = mlflow.MlflowClient()
        trial, run = sorted(
            mlflow.search_runs([experiment], output_format="list"),
            key=lambda one: "trial" in one.data.params,
            reverse=True,
        )
        steps = [one.step for one in client.get_metric_history(run.info.run_id, LOSS)]
        taus = [one.value for one in client.get_metric_history(run.info.run_id, VALIDATION_TAU)]
        versions = client.search_model_versions(f"name = '{store.model_name('llm')}'")
    assert trial.data.metrics[VALIDATION_TAU] > 0  # trials run in this process, where their result is seen
    assert trained.version == 1
    assert len(versions) == 1
    assert steps == sorted(set(steps))
    assert len(taus) >= 4
    assert trained.metrics["kendall_tau_b"] > 0.3
