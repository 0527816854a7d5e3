"""A soup beside its trainings, and beside their scores in the mean, which cost so many times as much to serve.

`python -m tests.training.fitting.soups LOG LENGTH_COLUMN [SEEDS] [--prompts N]`: three trainings, 4,000
training prompts unless given, two passes, and 2,000 test prompts; a row for each ranker of each seed: tau-b and both
static gains.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from lightning.pytorch.callbacks import Callback
from scipy import stats
from torch import Tensor

from registry.order.certain_pairs import Values
from tests.training.fitting.measured import print_row, settings
from traffic.length_log import read_length_log
from training.config import TrainingConfig
from training.fitting.fit import fit
from training.network.network_scores import network_scores
from training.train import Splits, split


class Trainings(Callback):
    """Keeps the weights of each training of a soup."""

    def __init__(self) -> None:
        self.weights: list[dict[str, Tensor]] = []

    def on_train_end(self, _: object, module: Any) -> None:
        """One more is done."""
        self.weights.append({name: one.clone() for name, one in module.network.state_dict().items()})


def rankers(config: TrainingConfig, parts: Splits) -> Iterator[tuple[str, Values]]:
    """What each ranker scores the test prompts."""
    trainings = Trainings()
    network, tokenizer = fit(config, parts.train, parts.validation, [trainings])
    yield f"soup of {config.soup}", network_scores(config, network, tokenizer, parts.test.views)
    alone: list[Values] = []
    for weights in trainings.weights:
        network.load_state_dict(weights)
        alone.append(network_scores(config, network, tokenizer, parts.test.views))
        yield f"training {len(alone)}", alone[-1]
    yield "mean of their scores", np.mean([stats.zscore(one) for one in alone], axis=0)


def main() -> None:
    """Print the rows as they are known."""
    given, seeds = settings(__doc__, 4000, soup=3, test_prompts=2000)
    for seed in seeds:
        config = given.with_values({"seed": seed})
        parts = split(config, read_length_log(config))
        for name, scores in rankers(config, parts):
            print_row(seed, name, scores=scores, test=parts.test)


if __name__ == "__main__":
    main()
