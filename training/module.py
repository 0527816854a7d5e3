"""The Lightning module: a ranker's network, its loss, and the validation tau."""

from typing import Any, cast

import lightning
import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from training.batches import Batch
from training.encoder import RankerNetwork
from training.losses import Loss
from training.metrics import kendall_tau_b

VALIDATION_TAU = "validation_kendall_tau_b"
LOSS = "loss"
WARM_UP = 0.1
"""Share of the steps in which the learning rate rises to its peak; it then falls in a straight line to 0."""


class RankerModule(lightning.LightningModule):
    """Trains a network on all pairs of each batch; every prompt is encoded once a step."""

    def __init__(self, network: RankerNetwork, loss: Loss, learning_rate: float) -> None:
        super().__init__()
        self.network = network
        self._loss = loss
        self._learning_rate = learning_rate
        self._validated: list[tuple[Tensor, Tensor]] = []

    def scores(self, batch: Batch) -> Tensor:
        """Scores in the order of the batch's lengths."""
        return torch.cat([cast(Tensor, self.network(*chunk)) for chunk in batch.chunks])

    def training_step(self, batch: Batch) -> Tensor:
        """Loss of one batch."""
        loss = self._loss(self.scores(batch), batch.output_tokens)
        self.log(LOSS, loss, prog_bar=True, batch_size=len(batch.output_tokens))
        return loss

    def validation_step(self, batch: Batch) -> None:
        """Keep the scores: tau is of all prompts together."""
        self._validated.append((self.scores(batch).cpu(), batch.output_tokens.cpu()))

    def on_validation_epoch_end(self) -> None:
        """Log tau; a network that went astray (scores not finite) orders nothing and gets 0."""
        scores, output_tokens = (torch.cat(one).double() for one in zip(*self._validated, strict=True))
        self._validated.clear()
        tau = kendall_tau_b(scores.numpy(), output_tokens.numpy()) if scores.isfinite().all() else 0.0
        self.log(VALIDATION_TAU, tau, prog_bar=True)

    def configure_optimizers(self) -> Any:
        """AdamW; the learning rate warms up, then falls to 0."""
        optimizer = torch.optim.AdamW(self.network.parameters(), lr=self._learning_rate)
        steps = int(self.trainer.estimated_stepping_batches)
        warm_up = max(1, round(WARM_UP * steps))
        schedule = LambdaLR(optimizer, lambda step: min((step + 1) / warm_up, (steps - step) / max(1, steps - warm_up)))
        return [optimizer], [{"scheduler": schedule, "interval": "step"}]
