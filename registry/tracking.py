"""MLflow's tracking: its address, the run that `mlflow run` has begun, and a run's settings as MLflow shows them."""

import os
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import mlflow
from mlflow.exceptions import MlflowException

from registry.secrets import without_passwords

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

NOTE_TAG = "mlflow.note.content"
"""The description of an experiment or a run, in Markdown."""
MOST_LETTERS = 4900
"""Of a description: MLflow keeps 5,000 of a tag."""
PARENT_TAG = "mlflow.parentRunId"


def configure_tracking() -> str:
    """Use `MLFLOW_TRACKING_URI`, or else `mlflow.db` in the working folder, and return the address."""
    if not mlflow.is_tracking_uri_set():  # type: ignore[no-untyped-call]
        mlflow.set_tracking_uri(f"sqlite:///{Path.cwd() / 'mlflow.db'}")
    uri = mlflow.get_tracking_uri()
    if without_passwords(uri) != uri:  # MLflow writes where to look at a run straight to the screen
        os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
    return uri


def name_run(name: str) -> None:
    """Let the run that `mlflow run` has begun say what it did; elsewhere there is none, and none is made."""
    if run_id := os.environ.get("MLFLOW_RUN_ID"):
        with suppress(MlflowException):  # a run of another store: no reason to fail what is done
            mlflow.MlflowClient().update_run(run_id, name=name)


def describe_run(printed: str) -> None:
    """Let the run that this process has made say what the command printed, unless it has a description of its own."""
    with suppress(MlflowException):  # no reason to fail what is done
        run = mlflow.last_active_run()
        while run is not None and (parent := run.data.tags.get(PARENT_TAG)):
            run = mlflow.get_run(parent)
        if run is not None and NOTE_TAG not in run.data.tags:
            note = f"```\n{without_passwords(printed)[:MOST_LETTERS]}\n```"
            mlflow.MlflowClient().set_tag(run.info.run_id, NOTE_TAG, note)


def log_parameters(config: "DataclassInstance") -> None:
    """Log every setting to the active run, but those that `mlflow run` logged already: no parameter can change.

    Passwords in addresses are hidden; `mlflow run` itself logs what was typed.
    """
    run = mlflow.active_run()
    assert run is not None, "parameters belong to a run"
    there = mlflow.get_run(run.info.run_id).data.params
    mlflow.log_params({name: without_passwords(value) for name, value in asdict(config).items() if name not in there})
