"""Lightning callbacks that draw the curves of a training: loss and validation tau per step."""

from typing import Any

import lightning
import mlflow
from lightning.pytorch.callbacks import Callback

from training.module import LOSS, VALIDATION_TAU

POINTS = 200
"""Points of a loss curve at most: each one is a write to the tracking store."""


class MlflowCurves(Callback):
    """Logs to the MLflow run that is active."""

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Log the loss of this step, or of every n-th if there are many."""
        every = max(1, int(trainer.estimated_stepping_batches) // POINTS)
        if trainer.global_step % every == 0:
            mlflow.log_metric(LOSS, float(trainer.callback_metrics[LOSS]), step=trainer.global_step)

    def on_validation_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Log the validation tau."""
        mlflow.log_metric(VALIDATION_TAU, float(trainer.callback_metrics[VALIDATION_TAU]), step=trainer.global_step)
