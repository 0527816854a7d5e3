"""One real training, small, shared by the session: real MLflow, Optuna, Lightning and ONNX Runtime."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import mlflow
import pytest

from training.config import TrainingConfig
from training.workload import write_workload

TARGET_LLM = "demo/Tiny LLM"


@dataclass(frozen=True)
class TinyTraining:
    """What one training left behind."""

    config: TrainingConfig
    tracking_uri: str
    experiment_id: str
    version: int
    run_id: str


@contextmanager
def tracking(uri: str) -> Iterator[None]:
    """Use another MLflow store for a while."""
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)


@pytest.fixture(scope="session")
def workload_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded workload as a length log of 300 prompts."""
    path = tmp_path_factory.mktemp("workload") / "lengths.jsonl"
    write_workload(path, 300)
    return path


@pytest.fixture(scope="session")
def tiny_training(tmp_path_factory: pytest.TempPathFactory, workload_log: Path) -> TinyTraining:
    """A study of two trials and a final fit on the workload, registered in a store of its own."""
    from training.train import train

    folder = tmp_path_factory.mktemp("training")
    config = TrainingConfig(lengths=workload_log, target_llm=TARGET_LLM, trials=2, trial_prompts=64, batch_prompts=16)
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    with tracking(uri):
        experiment = mlflow.create_experiment("tiny", (folder / "artifacts").as_uri())
        mlflow.set_experiment(experiment_id=experiment)
        trained = train(config)
        (parent,) = mlflow.search_runs([experiment], "tags.ranker LIKE 'models:/%'", output_format="list")
    return TinyTraining(config, uri, experiment, trained.version, parent.info.run_id)


@pytest.fixture
def tiny_store(tiny_training: TinyTraining) -> Iterator[TinyTraining]:
    """The tiny training, with its store as MLflow's."""
    with tracking(tiny_training.tracking_uri):
        mlflow.set_experiment(experiment_id=tiny_training.experiment_id)
        yield tiny_training
