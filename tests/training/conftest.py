"""One real training, small, shared by the session: real MLflow, Optuna, Lightning and ONNX Runtime."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
import torch

from benchmarks.demo.demo_lengths import write_workload
from tests.conftest import tracking
from tests.training.tiny import TARGET_LLM, TinyTraining
from traffic.notes.encoders import DEFAULT_ENCODER
from training.config import TrainingConfig


@pytest.fixture(scope="session")
def workload_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded workload as a length log of 300 prompts."""
    path = tmp_path_factory.mktemp("workload") / "lengths.jsonl"
    write_workload(path, 300)
    return path


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an encoder of one small layer with random weights: fast, and worth nothing."""
    from transformers import BertConfig, BertModel

    from traffic.notes.encoders import encoder_path

    folder = tmp_path_factory.mktemp("encoder")
    shape = BertConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertModel(shape).save_pretrained(folder)  # type: ignore[no-untyped-call]
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(Path(encoder_path(DEFAULT_ENCODER)) / name, folder)
    return folder


@pytest.fixture(scope="session")
def tiny_training(tmp_path_factory: pytest.TempPathFactory, workload_log: Path) -> TinyTraining:
    """A study of two trials and a final fit on the workload, registered in a store of its own."""
    from training.train import train

    folder = tmp_path_factory.mktemp("training")
    config = TrainingConfig(
        lengths=workload_log,
        target_llm=TARGET_LLM,
        trials=2,
        trial_prompts=64,
        batch_prompts=16,
        epochs=1,
        validations_per_epoch=4,
    )
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    with tracking(uri), pytest.MonkeyPatch.context() as patch:
        experiment = mlflow.create_experiment("tiny", (folder / "artifacts").as_uri())
        mlflow.set_experiment(experiment_id=experiment)
        # As `mlflow run` does it: a run with the parameters as they were typed, to be resumed.
        client = mlflow.MlflowClient()
        run_id = client.create_run(experiment).info.run_id
        for name, typed in {"lengths": "typed.jsonl", "max_prompts": "''", "trials": "2"}.items():
            client.log_param(run_id, name, typed)
        patch.setenv("MLFLOW_RUN_ID", run_id)
        trained = train(config)
    return TinyTraining(config, uri, experiment, trained.version, run_id)


@pytest.fixture
def tiny_store(tiny_training: TinyTraining) -> Iterator[TinyTraining]:
    """The tiny training, with its store as MLflow's."""
    with tracking(tiny_training.tracking_uri):
        mlflow.set_experiment(experiment_id=tiny_training.experiment_id)
        yield tiny_training
