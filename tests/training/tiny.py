"""What the tests know of the one small training that they share."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import mlflow

from training.config import TrainingConfig

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
