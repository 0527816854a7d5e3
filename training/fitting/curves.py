"""Lightning callbacks that draw the curves of a training: loss, and at each validation tau, static gains, tokens."""

import logging
import time
from collections.abc import Callable
from math import ceil
from typing import Any, cast

import lightning
import mlflow
from lightning.pytorch.callbacks import Callback
from mlflow.entities import Metric

from registry.runs.mlflow_failures import FAILURES, reason_of
from registry.runs.stored_run import impatient
from training.fitting.module import (
    ENCODER_TOKENS,
    LOSS,
    TOTAL_ENCODER_TOKENS,
    VALIDATION_GAINS,
    VALIDATION_TAU,
    RankerModule,
)

logger = logging.getLogger(__name__)

POINTS = 200
"""Points of a loss curve at most: each one is a write to the tracking store."""
MOST_AT_ONCE = 1000
"""Points that MLflow takes in one request."""
PAUSE_S = 60.0
"""How long MLflow is left alone after it failed: asking costs a training seconds."""


class MlflowCurves(Callback):
    """Logs to an MLflow run, if there is one, from the first of the processes that train.

    The trainings of a soup stand one after the other: the steps go on, and each curve begins anew.
    While MLflow is away the training goes on, and the points wait here until it is back.
    """

    def __init__(self, run_id: str | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._run_id = run_id
        self._clock = clock
        self._waiting: list[Metric] = []
        self._next_try_s = 0.0
        self._has_warned = False

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Log the loss of this step, or of every n-th if there are many."""
        every = max(1, ceil(int(trainer.estimated_stepping_batches) / POINTS))
        if trainer.global_step % every == 0:
            self._log(trainer, LOSS)

    def on_validation_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Log how the validation prompts are ordered and, at the same step, the encoder tokens processed by now."""
        of_targets = [name for name in trainer.callback_metrics if name.startswith(f"{VALIDATION_TAU}/")]
        for name in (VALIDATION_TAU, *of_targets, *VALIDATION_GAINS, ENCODER_TOKENS):
            self._log(trainer, name)

    def on_train_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Log the encoder tokens of the whole training; the last steps may lie behind the last validation."""
        self._log(trainer, TOTAL_ENCODER_TOKENS)

    def finish(self) -> None:
        """Log what waits; what cannot be logged now is lost, and counted."""
        self._next_try_s = 0.0
        self._send()
        if self._waiting:
            logger.warning("%d points of the curves are lost, since MLflow is still away.", len(self._waiting))

    def _log(self, trainer: lightning.Trainer, name: str) -> None:
        if trainer.is_global_zero and self._run_id is not None:
            value = float(trainer.callback_metrics[name])
            before = cast(RankerModule, trainer.lightning_module).member * int(trainer.estimated_stepping_batches)
            self._waiting.append(Metric(name, value, time.time_ns() // 1_000_000, before + trainer.global_step))
            self._send()

    def _send(self) -> None:
        if self._run_id is None or self._clock() < self._next_try_s:
            return
        try:
            with impatient():
                while self._waiting:
                    mlflow.MlflowClient().log_batch(self._run_id, self._waiting[:MOST_AT_ONCE])
                    del self._waiting[:MOST_AT_ONCE]
        except FAILURES as error:
            self._next_try_s = self._clock() + PAUSE_S
            if not self._has_warned:
                logger.warning("MLflow fails, so the curves wait while the training goes on: %s", reason_of(error))
            self._has_warned = True
