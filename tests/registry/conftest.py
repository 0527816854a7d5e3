"""A real MLflow registry of its own for each test that asks."""

from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest


@pytest.fixture
def registry(empty_database: Path, tmp_path: Path) -> Iterator[str]:
    """Address of an empty registry, set as MLflow's tracking URI."""
    (tmp_path / "mlflow.db").write_bytes(empty_database.read_bytes())
    before = mlflow.get_tracking_uri()
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment(experiment_id=mlflow.create_experiment("tests", (tmp_path / "artifacts").as_uri()))
    yield uri
    mlflow.set_tracking_uri(before)
