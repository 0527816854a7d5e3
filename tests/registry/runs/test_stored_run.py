"""`registry/runs/stored_run.py`: a store that cannot be written ends a command before it computes anything."""

import os
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest
from mlflow.entities import Run

from registry.runs.mlflow_failures import MlflowFailure
from registry.runs.stored_run import TRIAL_FILE, impatient, stored_run
from tests.conftest import Command


def last_run() -> Run:
    run = mlflow.last_active_run()
    assert run is not None
    return run


def an_experiment_in(folder: str) -> None:
    mlflow.set_experiment(experiment_id=mlflow.create_experiment("elsewhere", folder))


@pytest.mark.usefixtures("registry")
def test_a_run_begins_and_ends_and_keeps_no_trace_of_the_trial() -> None:
    with stored_run("work") as run:
        mlflow.log_text("result", "result.txt")
    assert (last_run().info.status, last_run().info.run_name) == ("FINISHED", "work")
    assert [one.path for one in mlflow.artifacts.list_artifacts(run_id=run.info.run_id)] == ["result.txt"]


@pytest.mark.usefixtures("registry")
def test_a_run_whose_work_fails_ends_as_failed() -> None:
    with pytest.raises(ValueError, match="work"), stored_run("work"):
        raise ValueError("work")
    assert last_run().info.status == "FAILED"
    assert mlflow.active_run() is None


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    "store", ["file://{file}/store", "s3://me:5ecret@bucket/no-boto-or-no-network", "nothing://x/y"]
)
def test_a_store_that_cannot_be_written_is_told_before_the_work(tmp_path: Path, store: str) -> None:
    (tmp_path / "file").write_text("a file where a folder must be")
    an_experiment_in(store.format(file=tmp_path / "file"))
    with pytest.raises(MlflowFailure, match="must be stored with the run") as caught, stored_run("work"):
        raise AssertionError("the work must not begin")
    assert "5ecret" not in str(caught.value)
    assert last_run().info.status == "FAILED"


@pytest.mark.usefixtures("registry")
def test_a_store_that_only_lets_files_be_added_is_good_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("nothing may be deleted")

    monkeypatch.setattr("mlflow.store.artifact.local_artifact_repo.LocalArtifactRepository.delete_artifacts", refuse)
    with stored_run("work") as run:
        pass
    assert [one.path for one in mlflow.artifacts.list_artifacts(run_id=run.info.run_id)] == [TRIAL_FILE]


COMMANDS: dict[str, Callable[[str], tuple[str, ...]]] = {
    "train": lambda log: ("train", "--lengths", log, "--target-llm", "a"),
    "study": lambda log: ("study", "--lengths", log, "--target-llm", "a", "--storage", "sqlite://", "--trials", "1"),
    "evaluate": lambda log: ("evaluate", "--lengths", log, "--baselines", "prompt_length"),
    "cross-validate": lambda log: ("cross-validate", "--lengths", log, "--target-llm", "a"),
    "ablate": lambda log: ("ablate", "--lengths", log, "--target-llm", "a"),
    "simulate": lambda log: ("simulate", "--lengths", log),
    "what-if": lambda log: ("what-if", "--log", log),
    "fleet": lambda log: ("fleet", "--trace", log),
    "replay": lambda log: ("replay", "--lengths", log, "--target-llm", "a"),
    "measure-engine": lambda _: ("measure-engine", "--target-llm", "a"),
    "overhead": lambda log: ("overhead", "--lengths", log, "--target-llm", "a"),
    "scoring": lambda log: ("scoring", "--lengths", log, "--ranker", "models:/a/1"),
}


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_every_command_that_computes_tries_the_store_before(
    command: Command,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: Callable[[str], tuple[str, ...]],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    an_experiment_in(f"file://{tmp_path}/file/store")
    log = tmp_path / "missing.jsonl"  # nothing is read before
    assert command(*words(str(log))) == 1
    assert "a first small file cannot be written there" in capsys.readouterr().err.splitlines()[-1]


def test_haste_leaves_mlflows_settings_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "77")
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", raising=False)
    with impatient(5):
        assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "5"
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "77"
    assert "MLFLOW_HTTP_REQUEST_MAX_RETRIES" not in os.environ
