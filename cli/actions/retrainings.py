"""The command that retrains: apart from the others of its room, so that it needs what a training does and no server."""

from loop.retraining.config import RetrainConfig
from loop.retraining.retrain import retrain as retrain_ranker


def retrain(config: RetrainConfig) -> str:
    """Train on what was served, judge on the last day, promote or not."""
    return retrain_ranker(config)
