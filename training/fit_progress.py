"""How far a trainer has come, shown as everything else is."""

from contextlib import ExitStack
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback

from terminal.progress import Advance, progress


class FitProgress(Callback):
    """Counts the batches of all epochs; of several processes the first one shows them."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._shown = ExitStack()
        self._advance: Advance | None = None

    def on_train_start(self, trainer: lightning.Trainer, _: lightning.LightningModule) -> None:
        """The first batch comes, or of a training that was resumed the next one."""
        if trainer.is_global_zero:
            batches = int(trainer.num_training_batches) * (trainer.max_epochs or 1)
            shown = progress(self._title, "batches", batches, done=trainer.fit_loop.total_batch_idx + 1)
            self._advance = self._shown.enter_context(shown)

    def on_train_batch_end(self, *_: Any) -> None:
        """One more."""
        if self._advance is not None:
            self._advance()

    def on_train_end(self, *_: Any) -> None:
        """The last one is done."""
        self._shown.close()

    def on_exception(self, *_: Any) -> None:
        """It was interrupted, or pruned."""
        self._shown.close()
