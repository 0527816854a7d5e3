"""Static gain: the share of the oracle's gain that an order keeps in a queue with a single server. Pure.

Tau-b counts pairs; a queue weighs them. Let all prompts arrive at once and be served one after the other, the lowest
prediction first, each for as long as its answer has tokens. Against a random order (first come, first served, in
expectation) the oracle, which knows the lengths, brings a mean time down the furthest. The static gain is how much of
that a ranker brings: 1 orders as well as the oracle, 0 as well as chance, below 0 worse. `s_per_token` is of the mean
of completion time ÷ own tokens, `e2e` of the mean completion time.

Moving a prompt of a tokens before one of b changes only what the two wait for each other. So both are weighted rank
correlations, the weight of a pair being (b/a - a/b) ÷ 2 or (b - a) ÷ 2, and ties of the predictions count as their
expectation over random orders. Of censored prompts only pairs whose order is certain count: the shorter answer ended.
The length of a longer one that was cut counts as recorded, so such pairs weigh no more than is certain.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]

STATIC_GAINS = STATIC_GAIN_S_PER_TOKEN, STATIC_GAIN_E2E = "static_gain_s_per_token", "static_gain_e2e"
"""Names of the metrics; 1 is the oracle, 0 a random order."""
CELLS_AT_ONCE = 2_000_000
"""Resamples × prompts that are held in memory together."""


def static_gains(predicted: Values, true: Values, is_censored: Flags | None = None) -> dict[str, float]:
    """Both static gains of an order, by the names that MLflow and the card know; 0 where no order gains anything.

    True lengths are at least 1 token. Takes n log n steps, n log² n where a cut answer is shorter than one that ended.
    """
    gains = resampled_static_gains(predicted, true, is_censored, [np.arange(len(true))])
    return {name: float(one[0]) for name, one in gains.items()}


def resampled_static_gains(
    predicted: Values, true: Values, is_censored: Flags | None, draws: Iterable[Places]
) -> dict[str, Values]:
    """Both static gains of each resample, float64 [resamples]; a draw is the indices of a resample's prompts."""
    is_cut = np.zeros(len(true), dtype=np.bool_) if is_censored is None else is_censored
    parts = [_shares(predicted, true, is_cut, counts) for counts in _counts(draws, len(true))]
    return {name: np.concatenate([part[name] for part in parts]) for name in STATIC_GAINS}


def _counts(draws: Iterable[Places], prompts: int) -> Iterator[Places]:
    """How often each resample holds each prompt, [resamples, prompts]: as many resamples together as memory allows."""
    counts = (np.bincount(draw, minlength=prompts) for draw in draws)
    while some := list(islice(counts, max(1, CELLS_AT_ONCE // prompts))):
        yield np.array(some)


def _shares(predicted: Values, true: Values, is_cut: Flags, counts: Places) -> dict[str, Values]:
    later, later_by_oracle = (_certain_surplus(counts * true, one, true, is_cut) for one in (predicted, true))
    gains = {}
    for name, weights in zip(STATIC_GAINS, (counts / true, counts), strict=True):
        gain, limit = ((weights * one).sum(axis=1) for one in (later, later_by_oracle))
        gains[name] = np.divide(gain, limit, out=np.zeros(len(counts)), where=limit > 0)
    return gains


def _certain_surplus(tokens: Values, scores: Values, true: Values, is_cut: Flags) -> Values:
    """Tokens that come later than each prompt less those that come earlier, [resamples, prompts].

    Only of prompts that are certainly shorter or longer. Half of it is what the order spares a prompt.
    """
    ranks = rankdata(scores, "dense").astype(np.int64)
    everywhere, everyone = np.zeros_like(ranks), np.ones_like(is_cut)
    surplus = np.empty_like(tokens)
    surplus[:, ~is_cut] = _surplus(tokens, ranks, everywhere, ~is_cut, everyone)
    surplus[:, is_cut] = _surplus(tokens, ranks, everywhere, is_cut, ~is_cut)
    if is_cut.any() and true[is_cut].min() < true[~is_cut].max(initial=0):
        _take_out_cut_and_longer(surplus, tokens, ranks, true, is_cut)
    return surplus


def _take_out_cut_and_longer(surplus: Values, tokens: Values, ranks: Places, true: Values, is_cut: Flags) -> None:
    """Take the pairs of a cut answer and a longer one that ended out of the surplus: their true order is not known.

    Divide and conquer: with the longest first, a cut answer is paired with what ended before it. Two places meet once,
    in the block that holds both, one in its first and one in its second half.
    """
    places = np.empty_like(ranks)
    places[np.lexsort((~is_cut, -true))] = np.arange(len(true))  # of equal ones the cut first: they make no pair
    for level in range(len(true).bit_length()):
        is_second = (places >> level) % 2 == 1
        firsts, seconds = ~is_second & ~is_cut, is_second & is_cut
        for some, others in ((firsts, seconds), (seconds, firsts)):
            surplus[:, some] -= _surplus(tokens, ranks, places >> (level + 1), some, others)


def _surplus(tokens: Values, ranks: Places, blocks: Places, some: Flags, others: Flags) -> Values:
    """For some of the prompts: the tokens of the others of higher rank in the same block less those of lower rank."""
    starts = blocks * (len(ranks) + 1)  # ranks are from 1 to their number
    keys = starts + ranks
    order = np.flatnonzero(others)[np.argsort(keys[others])]
    sums = np.pad(np.cumsum(tokens[:, order], axis=1), ((0, 0), (1, 0)))

    def until(bounds: Places, side: Literal["left", "right"]) -> Values:
        return np.asarray(sums[:, np.searchsorted(keys[order], bounds[some], side)])

    higher = until(starts + len(ranks), "right") - until(keys, "right")
    return higher - (until(keys, "left") - until(starts, "left"))
