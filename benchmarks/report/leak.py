"""Whether the truth leaks into the order: a control that knows nothing must gain nothing beside its baseline. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, log
from typing import Literal

import numpy as np
import pandas as pd

from benchmarks.policies.titles import figure, load_title, short_title
from benchmarks.report.comparison import by_load, compare, figures_at
from benchmarks.report.summary import RATIO

Baseline = Literal["fcfs", "dealt_work"]
"""What knows as much as the control does: nothing, or where queues are ordered by work the sizes of the prompts.
Answers are dealt out there, as the control believes in some: with the median for all, prompts would count for more."""
CONTROL = "control"
RANGE = (0.9, 1.1)
"""Baseline ÷ control (mean seconds per token) must lie in here."""
STANDARD_ERRORS = 1.96
"""On each side of an interval of 95 %."""


def baseline_of(order_by: Literal["length", "work"]) -> Baseline:
    """What the control is held against where it goes by this."""
    return "dealt_work" if order_by == "work" else "fcfs"


@dataclass(frozen=True)
class Gain:
    """What the control gains at one load: baseline ÷ control, and how sure that is."""

    at: str
    ratio: float
    low: float
    high: float
    is_paired: bool
    """Whether the control ran with its mirror image."""

    @property
    def is_leak(self) -> bool:
        """Whether something leaks.

        Of a pair one gains by the luck of the draw what the other loses, so a ratio outside the range that is no 1 is
        one. A single run has that luck, of which its interval knows nothing: there all of it must lie outside.
        """
        low, high = RANGE
        if self.is_paired:
            return not low <= self.ratio <= high and not self.low <= 1 <= self.high
        return self.low > high or self.high < low

    @property
    def is_doubtful(self) -> bool:
        """Whether the interval reaches beyond the range."""
        return self.low < RANGE[0] or self.high > RANGE[1]


def leak(answers: pd.DataFrame, baseline: Baseline = "fcfs") -> str | None:
    """Why the answers cannot be trusted, if at some load the control gained or lost anything.

    Answers without a control, or without the baseline, have no verdict.
    """
    for gain in _gains(answers, baseline):
        if gain.is_leak:
            return (
                f"{short_title(baseline)} / control must lie within {RANGE[0]} to {RANGE[1]}, but is {gain.ratio:.3f}"
                f" ({gain.at}): the truth leaks into the order."
            )
    return None


def doubts(answers: pd.DataFrame, baseline: Baseline = "fcfs") -> list[str]:
    """A sentence for each load at which the control is too unsure to rule a leak out, though none was found."""
    return [
        f"{short_title(baseline)} / control lies anywhere from {figure(gain.low)} to {figure(gain.high)} ({gain.at}),"
        f" which does not rule out a gain beyond {RANGE[0]} to {RANGE[1]}: more requests would."
        for gain in _gains(answers, baseline)
        if gain.is_doubtful and not gain.is_leak
    ]


def _gains(answers: pd.DataFrame, baseline: Baseline) -> Iterator[Gain]:
    """Of each load that has both."""
    for load, one in by_load(answers[answers.policy.isin([baseline, CONTROL])]):
        if one.policy.nunique() == 2:
            at = load_title(load, "at no stated rate")
            named = one.assign(policy=one.policy.where(one.policy == CONTROL, "fcfs"))
            yield _paired(at, named) if one.repeat.nunique() > 1 else _single(at, named)


def _single(at: str, answers: pd.DataFrame) -> Gain:
    control = figures_at(compare(answers), float(answers.load.iloc[0]))[CONTROL]
    return Gain(at, control[RATIO], control[f"{RATIO}_low"], control[f"{RATIO}_high"], is_paired=False)


def _paired(at: str, answers: pd.DataFrame) -> Gain:
    """By requests: under the control each has its mean over a place and the opposite one, as it has under the baseline.

    So what is left of luck is which requests these are: few short answers may carry the mean. The standard error of the
    ratio's logarithm is that of a ratio of two means over the same requests (delta method).
    """
    s_per_token = (answers.e2e_s / answers.output_tokens).groupby([answers.request, answers.policy]).mean().unstack()
    means = s_per_token.mean()
    differences = s_per_token["fcfs"] / means["fcfs"] - s_per_token[CONTROL] / means[CONTROL]
    ratio = float(means["fcfs"] / means[CONTROL])
    reach = STANDARD_ERRORS * float(np.sqrt((differences**2).sum())) / len(differences)
    return Gain(at, ratio, exp(log(ratio) - reach), exp(log(ratio) + reach), is_paired=True)
