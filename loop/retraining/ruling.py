"""What becomes of a retrained version: the gate's decision, as a retraining tells it."""

from typing import NamedTuple

import mlflow

from loop.retraining.config import RetrainConfig
from loop.retraining.earlier import GATE_TAG
from registry import store


class Ruling(NamedTuple):
    """The decision."""

    is_promoted: bool
    says: tuple[str, ...]
    """What was measured and why: sentences."""


def promote_or_not(config: RetrainConfig, name: str, version: int) -> Ruling:
    """Make a version the champion."""
    mlflow.MlflowClient().set_model_version_tag(name, str(version), GATE_TAG, "promoted")
    store.promote(config.target_llm, version)
    return Ruling(True, ())
