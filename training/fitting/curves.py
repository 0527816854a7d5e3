"""Lightning callbacks that draw the curves of a training: loss and, at each validation, tau and the tokens it cost."""

from math import ceil
from typing import Any

import lightning
import mlflow
from lightning.pytorch.callbacks import Callback

from training.fitting.module import ENCODER_TOKENS, LOSS, TOTAL_ENCODER_TOKENS, VALIDATION_TAU

POINTS = 200
"""Points of a loss curve at most: each one is a write to the tracking store."""


class MlflowCurves(Callback):
    """Logs to the MLflow run that was active when it was made, from the first of the processes that train."""

    def __init__(self) -> None:
        run = mlflow.active_run()
        assert run is not None, "curves belong to a run"
        self._run_id = run.info.run_id

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Log the loss of this step, or of every n-th if there are many."""
        every = max(1, ceil(int(trainer.estimated_stepping_batches) / POINTS))
        if trainer.global_step % every == 0:
            self._log(trainer, LOSS)

    def on_validation_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Log the validation tau and, at the same step, the encoder tokens that training has processed by now."""
        self._log(trainer, VALIDATION_TAU)
        self._log(trainer, ENCODER_TOKENS)

    def on_train_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Log the encoder tokens of the whole training; the last steps may lie behind the last validation."""
        self._log(trainer, TOTAL_ENCODER_TOKENS)

    def _log(self, trainer: lightning.Trainer, name: str) -> None:
        if trainer.is_global_zero:
            value = float(trainer.callback_metrics[name])
            mlflow.log_metric(name, value, step=trainer.global_step, run_id=self._run_id)
