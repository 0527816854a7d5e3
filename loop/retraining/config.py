"""The settings of a retraining. The command line and MLproject read their defaults from here."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from loop.fresh.config import FreshSource
from registry.errors import InvalidInput
from traffic.rows.rules import RowRules
from training.config import TrainingConfig
from training.recipe import Recipe

WARM_LEARNING_RATE, WARM_EPOCHS = 2e-4, 3
"""Where the champion's weights are the start; a first ranker is trained with the defaults of `train`."""


@dataclass(frozen=True, kw_only=True)
class RetrainConfig(FreshSource, Recipe):
    """What is learned from, what judges, and how training is done: its settings are those of `train`."""

    max_requests: int = 20_000
    """The newest requests of these days, at most: time and memory go by it."""
    test_days: float = 1.0
    """The newest days, which train and validate nothing: on them the new ranker is judged. Where more than half of the
    requests came in them, it is the newest fifth of the requests instead."""
    min_new: int = 500
    """Answers that must have come since the last retraining; with fewer, nothing is done."""
    least_requests: int = 200
    """Of the newest requests so many test at least, or half of all if those are fewer."""
    again: bool = False
    """Retrain even if too few answers are new, or these requests were judged already."""
    start: Literal["champion", "encoder"] = "champion"
    """What the training starts from: the champion's weights (a warm start; of the champion are then the encoder and
    what it reads of a prompt), or the encoder's own."""
    learning_rate: float | None = None
    """At its peak; unless given 2e-4 from the champion's weights and 3e-4 from the encoder's own."""
    epochs: int | None = None
    """Passes over the training prompts; 3 unless given."""
    lease_s: float = 600.0
    """For how long a retraining that was killed keeps others out, on any machine; one that runs renews its lease."""

    def __post_init__(self) -> None:
        """Refuse what cannot be, before anything is read."""
        super().__post_init__()
        if not self.test_days > 0:
            raise InvalidInput(f"test_days must be above 0, but got {self.test_days}.")
        if self.min_new < 2:
            raise InvalidInput(f"min_new must be at least 2, but got {self.min_new}.")
        if not self.lease_s >= 60:
            raise InvalidInput(f"lease_s must be at least 60, but got {self.lease_s}.")
        self.training(Path())

    def training(self, lengths: Path, **values: Any) -> TrainingConfig:
        """How a ranker is trained of a log.

        Raises:
            InvalidInput: a setting has a value that no training can have.
        """
        names = [one.name for room in (Recipe, RowRules) for one in fields(room)]
        shared = {name: getattr(self, name) for name in names} | {"arrival_column": self.arrival_column}
        chosen = {name: getattr(self, name) for name in ("learning_rate", "epochs") if getattr(self, name) is not None}
        return TrainingConfig(lengths=lengths, target_llm=self.target_llm, **{**shared, **values, **chosen})
