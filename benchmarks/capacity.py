"""What load 1 is: the steady throughput of an engine for which more requests always wait. Pure."""

from math import ceil

import numpy as np
import numpy.typing as npt
import pandas as pd

from traffic.batch import Traffic

Values = npt.NDArray[np.float64]

EDGE = 0.2
"""Share of a burst's answers at each of its ends that does not count: there the engine fills up, or runs empty."""


STEADILY = "while more requests always wait, first come, first served"
"""How load 1 is found out, for a sentence."""


def steady_requests_per_s(answers: pd.DataFrame) -> float:
    """Requests per second of this mix that an engine gets through, from its answers to one burst of them.

    A burst's own throughput is less: it ends with its longest answers nearly alone. So it is measured from when the
    first fifth of the answers has ended until the last fifth is left, or the last request has begun if that is sooner:
    the output tokens of that time ÷ the mean length of all answers. Tokens, because the first requests to end are
    short ones, and counting requests would take the mix for lighter than it is. Where no request waited, there is no
    such time, and the burst's own throughput is all that is known.

    Args:
        answers: of one run (`benchmarks/answers.py`) whose requests were all sent at once.
    """
    first_s = (answers.sent_s + answers.ttft_s).to_numpy()
    last_s = (answers.sent_s + answers.e2e_s).to_numpy()
    begin_s, end_s = np.quantile(last_s, [EDGE, 1 - EDGE])
    end_s = min(end_s, first_s.max())
    if not begin_s < end_s:
        return len(answers) / float(last_s.max() - answers.sent_s.min())
    tokens = answers.output_tokens.to_numpy()
    return float((tokens * _share_between(first_s, last_s, begin_s, end_s)).sum() / (end_s - begin_s) / tokens.mean())


def saturating(traffic: Traffic, max_num_seqs: int, seed: int) -> Traffic:
    """The requests all at once, shuffled, and over again if there are too few for a steady stretch on that engine."""
    order = np.random.default_rng(seed).permutation(len(traffic))
    drawn = traffic.take(np.resize(order, max(len(traffic), ceil(max_num_seqs / EDGE))))
    return drawn.sent_at(np.zeros(len(drawn)))


def _share_between(first_s: Values, last_s: Values, begin_s: float, end_s: float) -> Values:
    """Of each answer, whose tokens come evenly from the first to the last, the share that came between two times."""
    lasts_s = last_s - first_s
    within_s = np.clip(np.minimum(last_s, end_s) - np.maximum(first_s, begin_s), 0, None)
    at_once = ((first_s > begin_s) & (first_s <= end_s)).astype(np.float64)
    return np.asarray(np.divide(within_s, lasts_s, out=at_once, where=lasts_s > 0))
