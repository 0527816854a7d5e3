"""A run in which what a command computes for minutes is stored: that it can be is tried before, not after."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import mlflow
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

from registry.runs.mlflow_failures import FAILURES, RIGHT_ADDRESS, MlflowFailure, reason_of, told_in_one_sentence

logger = logging.getLogger(__name__)

DATABASES = ("postgresql", "mysql", "sqlite", "mssql")
TRIAL_FILE = "can-this-be-written"


@contextmanager
def impatient(timeout_s: int = 10) -> Iterator[None]:
    """MLflow repeats a request once and waits for so long, instead of trying for minutes in silence."""
    hasty = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": str(timeout_s)}
    before = {name: os.environ.get(name) for name in hasty}
    os.environ.update(hasty)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def reach_mlflow() -> None:
    """Ask MLflow once for something small.

    Raises:
        MlflowFailure: it cannot be reached, or its address is none.
    """
    with told_in_one_sentence(), impatient():
        uri = mlflow.get_tracking_uri()
        try:
            _connect(uri)
            mlflow.MlflowClient().search_experiments(max_results=1)
        except ValueError as error:  # of what takes the address apart
            raise MlflowFailure(f"MLflow at {uri} has no address ({reason_of(error)}); {RIGHT_ADDRESS}.") from error


@contextmanager
def stored_run(name: str) -> Iterator[mlflow.ActiveRun]:
    """Begin a run, or go on with the one of `mlflow run`, and see that files can be stored with it.

    Within another run it is one below it.

    Where MLflow is away when the run ends, the run stays open there: no reason to fail what is done.

    Raises:
        MlflowFailure: the artifact store cannot be written.
    """
    run = mlflow.start_run(run_name=name, nested=True)
    status = "FAILED"
    try:
        _try_artifact_store(run.info.artifact_uri)
        yield run
        status = "FINISHED"
    finally:
        end_run(status)


def end_run(status: str) -> None:
    """End the active run; where MLflow is away it stays open there, which is logged."""
    try:
        with impatient():
            mlflow.end_run(status)
    except FAILURES as error:
        logger.warning("the run could not be ended in MLflow: %s", reason_of(error))


def _try_artifact_store(uri: str) -> None:
    """Write a small file where the run's artefacts go, and remove it again if the store lets us."""
    try:
        with TemporaryDirectory() as folder, impatient(timeout_s=60):
            (Path(folder) / TRIAL_FILE).write_text("This file may be deleted.\n", encoding="utf-8")
            repository = get_artifact_repository(uri)
            repository.log_artifact(str(Path(folder) / TRIAL_FILE))  # type: ignore[no-untyped-call]
            with suppress(Exception):  # some stores only let files be added
                repository.delete_artifacts(TRIAL_FILE)  # type: ignore[no-untyped-call]
    except Exception as error:  # each kind of store raises what its own library does
        raise MlflowFailure(
            f"what is computed must be stored with the run, at {uri}, but a first small file cannot be written there:"
            f" {reason_of(error)}; let this user (or the MLflow server) write there, or choose another experiment by"
            " MLFLOW_EXPERIMENT_NAME."
        ) from error


def _connect(uri: str) -> None:
    """Connect to a database once; MLflow would try for 100 seconds."""
    if urlsplit(uri).scheme.partition("+")[0] not in DATABASES:
        return
    if (url := make_url(uri)).get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)  # as MLflow does
    create_engine(url, poolclass=NullPool).connect().close()
