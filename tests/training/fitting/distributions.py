"""Heads that predict a distribution of lengths, and pairs that weigh what their inversion costs, beside margin ranking.

`python -m tests.training.fitting.distributions LOG LENGTH_COLUMN [SEEDS] [--prompts N]`: 2,000 training prompts,
two passes, and 2,000 test prompts; a row for each order of each seed: tau-b and what `order_metrics` says beside it.

- `margin` is the product's loss; `margin, by cost` weighs a pair by what its inversion costs in seconds per token:
  longer ÷ shorter - shorter ÷ longer, 10 at most.
- `log-normal` and `log-t` (3 degrees of freedom) predict place and spread of the log length by maximum likelihood.
  They order by the median; by the mean; by the mean plus that of the longest tenth (expectation and tail risk, as TIE
  does, arXiv 2604.00499); and by E[L] ÷ E[1/L], Smith's rule where an answer's weight is one over its length. Of a
  log-normal the last is the order of the median.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from scipy import stats
from torch import Tensor
from torch.distributions import Normal, StudentT
from torch.optim.lr_scheduler import LambdaLR

from registry.order.certain_pairs import Values
from tests.training.fitting.measured import print_row, settings
from traffic.labelled_prompts import LabelledPrompts
from traffic.length_log import read_length_log
from training.config import TrainingConfig
from training.fitting.losses import margin_ranking
from training.fitting.pairs import counting_pairs
from training.network.batches import Batches, Labels, encode_all, labels_of
from training.network.encoder import RankerNetwork, load_network, load_tokenizer
from training.network.network_scores import network_scores
from training.train import split

MOST_COST, DEGREES, TAIL = 10.0, 3, 0.1
LEVELS = (np.arange(200) + 0.5) / 200
"""Of a predicted distribution; none above 0.9975, since a log-t has no mean."""
Loss = Callable[[Tensor, Labels], Tensor]


def main() -> None:
    """Print the rows as they are known."""
    given, seeds = settings(__doc__, 2000, test_prompts=2000)
    parts = split(given, read_length_log(given))
    for seed in seeds:
        config = given.with_values({"seed": seed})
        for name, loss in LOSSES.items():
            network = fitted(config, loss, parts.train)
            predicted = network_scores(config, network, load_tokenizer(config.encoder), parts.test.views)
            for order, scores in orders(name, predicted):
                print_row(seed, name, order, scores=scores, test=parts.test)


def fitted(config: TrainingConfig, loss: Loss, train: LabelledPrompts) -> RankerNetwork:
    """As the product fits, with two outputs a prompt: score and nothing, or place and log spread."""
    torch.manual_seed(config.seed)
    network = load_network(config.encoder, config.max_tokens, heads=2).train()
    with torch.no_grad():
        network.weight[1] = 0
        network.bias.copy_(torch.tensor([np.log(np.median(train.output_tokens)), 0.0]))
    network.word_embeddings.requires_grad_(False)
    encoded = encode_all(load_tokenizer(config.encoder), train.views, config.max_tokens)
    batches = Batches(encoded, labels_of(train), config.batch_prompts, config.chunk_tokens, config.seed)
    steps = config.epochs * len(batches)
    trained = [one for one in network.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(trained, config.learning_rate, weight_decay=config.weight_decay, fused=True)
    warm_up = max(1, round(config.warm_up * steps))
    rates = LambdaLR(optimizer, lambda step: min((step + 1) / warm_up, (steps - step) / max(1, steps - warm_up)))
    for _ in range(config.epochs):
        for batch in batches:
            with torch.autocast("cpu", torch.bfloat16):
                predicted = network.score_chunks(batch.chunks, 8 * config.chunk_tokens)
            optimizer.zero_grad()
            loss(predicted.float(), batch.labels).backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            rates.step()
    return network.eval()


def by_cost(predicted: Tensor, labels: Labels) -> Tensor:
    """Margin ranking, each pair by what its inversion costs."""
    scores, tokens = predicted[:, 0], labels.output_tokens
    ratio = tokens.unsqueeze(1) / tokens
    weights = counting_pairs(labels, labels, 0.1) * (ratio - 1 / ratio).clamp(max=MOST_COST)
    lead = scores.unsqueeze(1) - scores
    return (weights * (1 - lead).clamp(min=0)).sum() / weights.sum().clamp(min=1)


def likelihood(of: Callable[[Tensor, Tensor], torch.distributions.Distribution]) -> Loss:
    """Mean negative log likelihood of the log lengths; nothing is censored in this log."""

    def loss(predicted: Tensor, labels: Labels) -> Tensor:
        return -of(predicted[:, 0], predicted[:, 1].exp()).log_prob(labels.output_tokens.log()).mean()

    return loss


LOSSES: dict[str, Loss] = {
    "margin": lambda predicted, labels: margin_ranking(1.0, 0.1)(predicted[:, 0], labels),
    "margin, by cost": by_cost,
    "log-normal": likelihood(Normal),
    "log-t": likelihood(lambda place, spread: StudentT(float(DEGREES), place, spread)),
}
STANDARD: dict[str, Values] = {"log-normal": stats.norm.ppf(LEVELS), "log-t": stats.t(DEGREES).ppf(LEVELS)}


def orders(name: str, predicted: Values) -> Iterator[tuple[str, Values]]:
    """The orders of what a network predicts."""
    place, spread = predicted[:, 0], np.exp(predicted[:, 1])
    yield "median", place
    if name in STANDARD:
        lengths = np.exp(place[:, None] + spread[:, None] * STANDARD[name])
        mean, tail = lengths.mean(1), lengths[:, -round(TAIL * len(LEVELS)) :].mean(1)
        yield "mean", mean
        yield "mean and tail", mean + tail
        yield "E[L] ÷ E[1/L]", mean / (1 / lengths).mean(1)


if __name__ == "__main__":
    main()
