"""Whether a ranker learns more from what other rankers predict than from the lengths of single answers.

`python -m tests.training.fitting.teachers LOG LENGTH_COLUMN [SEEDS] [--prompts N]`: 1,000 training prompts, two
passes, and 1,000 test prompts; a row for each ranker of each seed: tau-b and what `order_metrics` says beside it.

One answer is a noisy label: the same LLM answers the same prompt at another length next time. A teacher's prediction
has no such noise, if the teacher never saw this answer. Pupils learn lengths that are mixed, in logarithms:

- `answers`: the lengths themselves, as the product does.
- `out of fold`: what a ranker that trained on the other two thirds of the prompts predicts; `half out of fold`: that
  and the answer's length, a half each.
- `three seeds`: the mean of three rankers that trained on all of these answers, which no pupil improves on unless
  their mean does; `mean of three` is that mean itself, three times as dear to serve.

A teacher's score becomes a length by the line that fits log lengths best where it did not train, or where it did.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy import stats

from registry.order.certain_pairs import Values
from tests.training.fitting.measured import print_row, settings
from traffic.labelled_prompts import LabelledPrompts
from traffic.length_log import read_length_log
from training.config import TrainingConfig
from training.fitting.fit import fit
from training.network.encoder import RankerNetwork, load_tokenizer
from training.network.network_scores import network_scores
from training.train import Splits, split

THIRDS, TEACHERS = 3, 3


def main() -> None:
    """Print the rows as they are known."""
    given, seeds = settings(__doc__, 1000, validation_prompts=100, test_prompts=1000)
    parts = split(given, read_length_log(given))
    for seed in seeds:
        for name, scores in rankers(given.with_values({"seed": seed}), parts):
            print_row(seed, name, scores=scores, test=parts.test)


def rankers(config: TrainingConfig, parts: Splits) -> Iterator[tuple[str, Values]]:
    """What each ranker scores the test prompts."""
    train, test = parts.train, parts.test

    def pupil(log_tokens: Values) -> Values:
        return scored(config, fitted(config, parts, replace(train, output_tokens=np.exp(log_tokens))), test)

    answers = np.log(train.output_tokens)
    teachers = [fitted(config.with_values({"seed": config.seed + TEACHERS * k}), parts, train) for k in range(TEACHERS)]
    tested = [scored(config, one, test) for one in teachers]
    yield "answers", tested[0]
    yield "mean of three", np.mean([stats.zscore(one) for one in tested], axis=0)
    yield (
        "three seeds",
        pupil(np.mean([as_log_tokens(scored(config, one, train), answers) for one in teachers], axis=0)),
    )
    unseen = out_of_fold(config, parts, answers)
    yield "out of fold", pupil(unseen)
    yield "half out of fold", pupil((unseen + answers) / 2)


def out_of_fold(config: TrainingConfig, parts: Splits, answers: Values) -> Values:
    """Log tokens of each training prompt, by a ranker that trained on the two thirds where it is not."""
    predicted, third = np.empty(len(answers)), np.arange(len(answers)) % THIRDS
    for one in range(THIRDS):
        unseen = np.flatnonzero(third == one)
        teacher = fitted(config, parts, parts.train.take([*np.flatnonzero(third != one)]))
        predicted[unseen] = as_log_tokens(scored(config, teacher, parts.train.take([*unseen])), answers[unseen])
    return predicted


def fitted(config: TrainingConfig, parts: Splits, train: LabelledPrompts) -> RankerNetwork:
    """As the product fits."""
    return fit(config, train, parts.validation)[0]


def scored(config: TrainingConfig, network: RankerNetwork, prompts: LabelledPrompts) -> Values:
    """As the product scores."""
    return network_scores(config, network, load_tokenizer(config.encoder), prompts.views)


def as_log_tokens(scores: Values, answers: Values) -> Values:
    """The line of scores that fits log tokens best."""
    line = stats.linregress(scores, answers)
    return np.asarray(line.intercept + line.slope * scores)


if __name__ == "__main__":
    main()
