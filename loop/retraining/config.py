"""The settings of a retraining. The command line and MLproject read their defaults from here."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from loop.fresh.config import FreshSource
from loop.gate.config import GateConfig, Judging
from registry.errors import InvalidInput
from traffic.rows.rules import RowRules
from training.config import TrainingConfig
from training.recipe import Recipe

WARM_LEARNING_RATE, WARM_EPOCHS = 2e-4, 3
"""Where the champion's weights are the start; a first ranker is trained with the defaults of `train`."""


@dataclass(frozen=True, kw_only=True)
class RetrainConfig(FreshSource, Judging, Recipe):
    """What is learned from, how a ranker is trained (as by `train`), and what it must show (as by `promote`)."""

    max_requests: int = 20_000
    """The newest requests of these days, at most: time and memory go by it."""
    test_days: float = 1.0
    """The newest days, which train and validate nothing: on them the new ranker is judged. Where more than half of the
    requests came in them, it is the newest fifth of the requests instead, and it is never fewer than `least_requests`,
    or half of all."""
    min_new: int = 500
    """Answers that must have come since the last retraining; with fewer, nothing is done."""
    again: bool = False
    """Retrain even if too few answers are new, or these requests were judged already."""
    after_alarm: Literal["on", "off"] = "on"
    """Where the watch's detectors have raised an alarm of a ranker within these days, learn only from what came since
    then, if that is `min_new` answers: what came before shows habits that the LLM, or its users, have given up."""
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
        FreshSource.__post_init__(self)
        self.check_judging()
        if not self.test_days > 0:
            raise InvalidInput(f"test_days must be above 0, but got {self.test_days}.")
        if self.min_new < 2:
            raise InvalidInput(f"min_new must be at least 2, but got {self.min_new}.")
        if not self.lease_s >= 60:
            raise InvalidInput(f"lease_s must be at least 60, but got {self.lease_s}.")
        self.training(Path())

    def gate(self, version: int, test_days: float) -> GateConfig:
        """How a version is judged on the newest days."""
        names = [one.name for room in (FreshSource, Judging) for one in fields(room)]
        shared = {name: getattr(self, name) for name in names}
        return GateConfig(**{**shared, "version": str(version), "days": test_days, "seed": self.seed})

    def training(self, lengths: Path, **values: Any) -> TrainingConfig:
        """How a ranker is trained of a log.

        Raises:
            InvalidInput: a setting has a value that no training can have.
        """
        names = [one.name for room in (Recipe, RowRules) for one in fields(room)]
        shared = {name: getattr(self, name) for name in names} | {"arrival_column": self.arrival_column}
        chosen = {name: getattr(self, name) for name in ("learning_rate", "epochs") if getattr(self, name) is not None}
        return TrainingConfig(lengths=lengths, target_llm=self.target_llm, **{**shared, **values, **chosen})
