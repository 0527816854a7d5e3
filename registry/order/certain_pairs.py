"""What each prompt adds to tau-b: its pairs of certain order. Pure; n log² n steps for n prompts.

The true length of a censored prompt is only known to be at least the recorded one. So the order of two prompts is
certain if neither is censored, or if one is and is recorded as at least as long as the other, ended answer: then it is
the longer one (Harrell et al., Evaluating the yield of medical tests, JAMA 247, 1982). All other pairs count nowhere.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]


class PairCounts(NamedTuple):
    """Of some pairs, or for each of some prompts, the pairs that it is in: [prompts]."""

    surplus: Values
    """Pairs in the right order less those in the wrong one."""
    untied_predicted: Values
    """Pairs that the predictions tell apart."""
    untied_true: Values
    """Pairs of different true length."""

    @property
    def tau_b(self) -> Values:
        """Kendall's tau-b; 0 where either side is constant, since it then orders nothing."""
        possible = np.sqrt(self.untied_predicted * self.untied_true)
        return np.asarray(np.divide(self.surplus, possible, out=np.zeros_like(possible), where=possible > 0))

    @property
    def accuracy(self) -> Values:
        """Share of the pairs of different true length in the right order, a predicted tie half right; nan without."""
        with np.errstate(invalid="ignore"):
            return np.asarray((1 + self.surplus / self.untied_true) / 2, dtype=np.float64)

    def whole(self) -> "PairCounts":
        """The counts of each prompt as those of all together, [1]: a pair stands in two prompts."""
        return self.of_groups(np.zeros(len(self.surplus), dtype=np.int64))

    def of_groups(self, groups: Places) -> "PairCounts":
        """Half of the sums over the prompts of each group, [groups]."""
        return PairCounts(*(np.bincount(groups, one) / 2 for one in self))


def certain_pairs(predicted: Values, true: Values, is_censored: Flags, groups: Places | None = None) -> PairCounts:
    """The certain pairs of each prompt with all others, or with those of its group only.

    `groups` are whole numbers from 0 on, [prompts].
    """
    within = np.zeros(len(true), dtype=np.int64) if groups is None else groups
    scores, lengths = (rankdata(one, "dense").astype(np.int64) for one in (predicted, true))
    width = len(true) + 1
    certain = _certain_partners(within, lengths, is_censored)
    tied_predicted = _certain_partners(within * width + scores, lengths, is_censored)
    tied_true = np.where(is_censored, 0, _class_sizes(within * width + lengths, ~is_censored) - 1)
    surplus = _certain_surplus(scores, lengths, is_censored, within)
    untied = ((certain - tied).astype(np.float64) for tied in (tied_predicted, tied_true))
    return PairCounts(surplus, *untied)


def _certain_surplus(scores: Places, lengths: Places, is_censored: Flags, groups: Places) -> Values:
    if not is_censored.any():
        return _surplus(scores, lengths, groups).astype(np.float64)
    # Where an ended answer may be the longer one these two are wrong in opposite ways; censored pairs are in one.
    surplus = _surplus(scores, np.where(is_censored, lengths.max() + 1, lengths), groups)
    surplus += _surplus(scores, 2 * lengths + is_censored, groups)
    surplus[is_censored] -= _surplus(scores[is_censored], lengths[is_censored], groups[is_censored])
    return (surplus / 2).astype(np.float64)


def _surplus(left: Places, right: Places, groups: Places) -> Places:
    """Partners of the same group in the same order on both sides, less those in the opposite one, [prompts]."""
    return (
        _both_below(left, right, groups)
        + _both_below(-left, -right, groups)
        - _both_below(left, -right, groups)
        - _both_below(-left, right, groups)
    )


def _both_below(left: Places, right: Places, groups: Places) -> Places:
    """For each prompt, how many of its group are below it on both sides: merge sort's count, all blocks at once."""
    # Sorted by group, then left, then falling right; a later group lies below all earlier ones on the right.
    order = np.lexsort((-right, left, groups))
    below = np.empty(len(order), dtype=np.int64)
    below[order] = _smaller_before(np.lexsort((right, -groups)), order, right, groups)
    return below


def _smaller_before(by_value: Places, order: Places, right: Places, groups: Places) -> Places:
    """For each place of the order, how many earlier ones have a smaller value."""
    is_new = np.ones(len(by_value), dtype=np.bool_)
    is_new[1:] = (np.diff(right[by_value]) != 0) | (np.diff(groups[by_value]) != 0)
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[by_value] = np.cumsum(is_new)
    values, places = ranks[order], np.arange(len(order))
    counts = np.zeros(len(order), dtype=np.int64)
    half, width = 1, len(order) + 2
    while half < len(order):
        block = places // (2 * half)
        is_late = (places // half) % 2 == 1
        early = np.sort((block * width + values)[~is_late])
        start = np.searchsorted(early, block[is_late] * width)
        counts[is_late] += np.searchsorted(early, (block * width + values)[is_late]) - start
        half *= 2
    return counts


def _certain_partners(classes: Places, lengths: Places, is_censored: Flags) -> Places:
    """How many prompts of its class each is in a certain pair with, itself left out."""
    width = len(lengths) + 2
    keys = classes * width + lengths
    ended, cut = np.sort(keys[~is_censored]), np.sort(keys[is_censored])
    of_ended = _between(ended, classes * width, (classes + 1) * width) - 1 + _between(cut, keys, (classes + 1) * width)
    of_cut = _between(ended, classes * width, keys + 1)
    return np.where(is_censored, of_cut, of_ended)


def _between(sorted_keys: Places, low: Places, high: Places) -> Places:
    """How many keys lie from `low` to below `high`."""
    return np.searchsorted(sorted_keys, high) - np.searchsorted(sorted_keys, low)


def _class_sizes(classes: Places, counts: Flags) -> Places:
    """How many of those that count are in the class of each prompt."""
    members = np.sort(classes[counts])
    return _between(members, classes, classes + 1)
