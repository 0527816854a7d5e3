"""The Lightning module: a ranker's network, its loss, and the validation tau."""

from collections.abc import Sequence
from statistics import fmean
from typing import Any

import lightning
import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from registry.order.static_gain import STATIC_GAINS
from training.config import TrainingConfig
from training.fitting.gathering import gathered
from training.fitting.losses import make_loss, within_targets
from training.judging.ranking_metrics import KENDALL_TAU_B, order_metrics
from training.network.batches import Batch, Labels
from training.network.chunk_sizes import KEPT_CHUNKS
from training.network.encoder import RankerNetwork
from training.network.examples import by_target

VALIDATION_TAU = f"validation_{KENDALL_TAU_B}"
VALIDATION_GAINS = tuple(f"validation_{name}" for name in STATIC_GAINS)
"""Logged beside tau; nothing is chosen by them."""
LOSS = "loss"
MAX_GRADIENT_NORM = 1.0
FEATURE_TRAVEL, MOST_FEATURE_RATE = 2.5, 0.1
"""How far AdamW may move a weight of the head for features in all steps together, at its rate's peak. A fresh head
begins at nothing, while an encoder is only tuned: at the encoder's rate, a training of few steps would end before it
has got anywhere. One that a warm start brings along is tuned as the encoder is."""
ENCODER_TOKENS = "encoder_tokens"
"""Tokens of every forward pass of the training so far, padding and validation left out: what a tau cost."""
TOTAL_ENCODER_TOKENS = "total_encoder_tokens"

Validated = tuple[Tensor, Tensor, Tensor]
"""Scores, recorded lengths and whether these are censored, of the prompts of a batch."""


class RankerModule(lightning.LightningModule):
    """Trains a network with the config's loss and optimiser.

    Raises:
        InvalidInput: the config's loss is not there, or does not go with its pairing.
    """

    def __init__(
        self,
        network: RankerNetwork,
        config: TrainingConfig,
        targets: Sequence[str] = (),
        member: int = 0,
        encoder_tokens: int = 0,
    ) -> None:
        """`targets` names the network's heads, if it has several; the trainings of a soup go on counting the tokens."""
        super().__init__()
        self.member = member
        """Which training of a soup this is, from 0."""
        self._targets = targets
        self.network = network
        self._config = config
        make_loss(config)  # one that cannot be had fails here
        head = network.feature_head
        # Asked now: a training that goes on has loaded what the head learned before it makes its optimiser.
        self._fresh = [] if head is None or head.has_learned else list(head.parameters())
        self._encoder_tokens = encoder_tokens
        self._validated: list[Validated] = []

    def scores(self, batch: Batch) -> Tensor:
        """Scores in the order of the batch's labels, of all processes that share it."""
        own = self.network.score_chunks(batch.chunks, KEPT_CHUNKS * self._config.chunk_tokens)
        return gathered(own, batch.shares)

    def training_step(self, batch: Batch) -> Tensor:
        """Loss of one batch, over all processes that share it."""
        # Made here, since a closure cannot be sent to the other processes of a training.
        loss = within_targets(make_loss(self._config), self.scores(batch), batch.labels)
        self._encoder_tokens += batch.encoder_tokens
        self.log(LOSS, loss, prog_bar=True, batch_size=len(batch.labels.output_tokens))
        return loss * len(batch.shares)  # the processes' gradients are averaged, where their sum is meant

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:  # noqa: ARG002  # a hook of Lightning
        """Clip the gradients. Lightning's own clipping refuses a fused optimiser, for a reason that fp16 alone has."""
        clip_grad_norm_(self.network.parameters(), MAX_GRADIENT_NORM)

    def on_train_epoch_end(self) -> None:
        """Log what the training cost by now."""
        self._log_encoder_tokens(TOTAL_ENCODER_TOKENS)

    def validation_step(self, batch: Batch) -> None:
        """Keep the scores: tau is of all prompts together."""
        labels = batch.labels
        self._validated.append((self.scores(batch).cpu(), labels.output_tokens.cpu(), labels.is_censored.cpu()))

    def on_validation_epoch_end(self) -> None:
        """Log tau and the static gains; a network that went astray (scores not finite) orders nothing and gets 0."""
        validated = zip(*self._validated, strict=True)
        scores, output_tokens, is_censored = (torch.cat(one) for one in validated)
        self._validated.clear()
        ordering = scores if scores.isfinite().all() else torch.zeros_like(scores)
        for name, value in self._metrics(ordering, output_tokens, is_censored).items():
            self.log(f"validation_{name}", value, prog_bar=name == KENDALL_TAU_B, sync_dist=True)
        self._log_encoder_tokens(ENCODER_TOKENS)

    def _metrics(self, scores: Tensor, output_tokens: Tensor, is_censored: Tensor) -> dict[str, float]:
        """How the prompts are ordered; of several target LLMs the means over them, and each one's tau."""
        if scores.dim() == 1:
            return order_metrics(scores.double().numpy(), output_tokens.double().numpy(), is_censored.numpy())
        labels = Labels(output_tokens, is_censored, torch.zeros(len(scores)))
        columns, each = zip(
            *(
                (column, self._metrics(its, one.output_tokens, one.is_censored))
                for column, its, one in by_target(scores, labels)
            ),
            strict=True,
        )
        means = {name: fmean(one[name] for one in each) for name in each[0]}
        taus = {
            f"{KENDALL_TAU_B}/{self._targets[column]}": one[KENDALL_TAU_B]
            for column, one in zip(columns, each, strict=True)
        }
        return means | taus

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep what the training cost by now."""
        checkpoint[ENCODER_TOKENS] = self._encoder_tokens

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on counting where it stopped."""
        self._encoder_tokens = checkpoint[ENCODER_TOKENS]

    def configure_optimizers(self) -> Any:
        """AdamW; the learning rate warms up, then falls to 0."""
        steps = int(self.trainer.estimated_stepping_batches)
        optimizer = torch.optim.AdamW(
            self._parameter_groups(steps),
            lr=self._config.learning_rate,
            weight_decay=self._config.weight_decay,
            fused=True,  # one pass over the weights; a third of the time on CPU
        )
        warm_up = max(1, round(self._config.warm_up * steps))
        schedule = LambdaLR(optimizer, lambda step: min((step + 1) / warm_up, (steps - step) / max(1, steps - warm_up)))
        return [optimizer], [{"scheduler": schedule, "interval": "step"}]

    def _parameter_groups(self, steps: int) -> list[dict[str, Any]]:
        fresh = {*map(id, self._fresh)}
        others = [one for one in self.network.parameters() if one.requires_grad and id(one) not in fresh]
        rate = max(self._config.learning_rate, min(MOST_FEATURE_RATE, FEATURE_TRAVEL / steps))
        of_fresh = {"params": self._fresh, "lr": rate}
        return [{"params": others}, *([of_fresh] if fresh else [])]

    def _log_encoder_tokens(self, name: str) -> None:
        # Several processes share the batches of a step: the sum over them.
        self.log(name, float(self._encoder_tokens), reduce_fx="sum", sync_dist=True)
