"""`training/logged_data.py`: what a run says of the log it was given."""

from pathlib import Path

import mlflow
import pytest

from tests.conftest import tracking
from traffic.length_log import read_length_log
from training.config import TrainingConfig
from training.logged_data import NOTES_FILE, log_data
from training.train import split


@pytest.mark.parametrize(("max_tokens", "says"), [(8, True), (128, False)])
def test_prompts_that_are_not_read_whole_are_said(
    workload_log: Path,
    tiny_encoder: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    max_tokens: int,
    says: bool,
) -> None:
    config = TrainingConfig(
        lengths=workload_log, target_llm="llm", encoder=str(tiny_encoder), max_tokens=max_tokens, unlabelled_prompts=0
    )
    log = read_length_log(config)
    with tracking(f"sqlite:///{tmp_path / 'mlflow.db'}"):
        experiment = mlflow.create_experiment("notes", (tmp_path / "artifacts").as_uri())
        with mlflow.start_run(experiment_id=experiment) as run:
            log_data(config, log, split(config, log))
        there = [one.path for one in mlflow.MlflowClient().list_artifacts(run.info.run_id)]
        notes = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/{NOTES_FILE}") if NOTES_FILE in there else ""
    assert ("longer than the 8 tokens that the ranker reads" in notes) is says
    assert ("longer than the" in caplog.text) is says
