"""What the tests know of the one small training that they share."""

from dataclasses import dataclass

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
