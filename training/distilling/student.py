"""The Lightning module of the instant network: of each two prompts it learns how surely one outscores the other."""

from typing import Any

import lightning
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from training.distilling.instant_network import InstantNetwork
from training.distilling.lessons import Lesson

SURENESS = 3.0
"""Log odds that a prompt outscores another, per spread of the teacher's scores that lies between them."""
LEARNING_RATE = 2e-3
"""At its peak."""
WARM_UP = 0.05
"""Share of the steps; the learning rate then falls to 0 in a straight line."""
DISTIL_LOSS = "distil_loss"


class Student(lightning.LightningModule):
    """Trains an instant network; sparse Adam looks only at the rows of its table that a batch has read."""

    def __init__(self, network: InstantNetwork) -> None:
        super().__init__()
        self.automatic_optimization = False  # two optimisers
        self.network = network

    def training_step(self, lesson: Lesson) -> None:
        """One step."""
        loss = distil_loss(self.network(lesson.packed, lesson.features), lesson.teacher)
        optimizers: list[Any] = self.optimizers()  # type: ignore[assignment]  # a list, since there are two
        for optimizer in optimizers:
            optimizer.zero_grad()
        self.manual_backward(loss)
        for optimizer, schedule in zip(optimizers, self.lr_schedulers(), strict=True):  # type: ignore[arg-type]
            optimizer.step()
            schedule.step()
        self.log(DISTIL_LOSS, loss, prog_bar=True, batch_size=len(lesson.teacher))

    def configure_optimizers(self) -> Any:
        """Sparse Adam for the table, AdamW for the rest."""
        table = self.network.table.weight
        rest = [weights for weights in self.network.parameters() if weights is not table]
        optimizers: list[Optimizer] = [
            torch.optim.SparseAdam([table], lr=LEARNING_RATE),
            torch.optim.AdamW(rest, lr=LEARNING_RATE),
        ]
        return optimizers, [LambdaLR(optimizer, self._share_of_peak) for optimizer in optimizers]

    def _share_of_peak(self, step: int) -> float:
        steps = int(self.trainer.estimated_stepping_batches)
        warm_up = max(1, round(WARM_UP * steps))
        return min((step + 1) / warm_up, (steps - step) / max(1, steps - warm_up))


def distil_loss(scores: Tensor, teacher: Tensor) -> Tensor:
    """Mean over all pairs of the log loss of who outscores whom, against how surely it does by the teacher.

    RankNet (Burges et al. 2005) with the teacher's odds for labels. Teacher scores are in units of their spread.
    """
    lead = scores.unsqueeze(1) - scores
    surely = torch.sigmoid(SURENESS * (teacher.unsqueeze(1) - teacher))
    return binary_cross_entropy_with_logits(lead, surely)
