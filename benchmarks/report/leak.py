"""Whether the truth leaks into the order: a control that knows nothing must gain nothing beside its baseline. Pure."""

from collections.abc import Iterator
from typing import Literal

import pandas as pd

from benchmarks.policies.titles import figure, load_title, short_title
from benchmarks.report.comparison import by_load, compare, figures_at
from benchmarks.report.summary import RATIO, summarise

Baseline = Literal["fcfs", "prompt_work"]
"""What knows as much as the control does: nothing, or where queues are ordered by work the sizes of the prompts."""
CONTROL = "control"
RANGE = (0.9, 1.1)
"""Baseline ÷ control (mean seconds per token) must lie in here."""


def leak(answers: pd.DataFrame, baseline: Baseline = "fcfs") -> str | None:
    """Why the answers cannot be trusted, if at some load the control gained or lost anything.

    A pair of runs has the control and its mirror image, of which one gains by chance what the other loses; so the mean
    ratio of pairs is compared. A single run has such luck, and among few requests that is no small gain: then the whole
    interval must lie outside the range. Answers without a control, or without the baseline, have no verdict.
    """
    low, high = RANGE
    for load, one in _judged(answers, baseline):
        ratio = float(summarise(one)[RATIO][CONTROL])
        if not low <= ratio <= high and (one.repeat.nunique() > 1 or _is_sure(one)):
            return (
                f"{short_title(baseline)} / control must lie within {low} to {high}, but is {ratio:.3f}"
                f" ({load_title(load, 'at no stated rate')}): the truth leaks into the order."
            )
    return None


def doubts(answers: pd.DataFrame, baseline: Baseline = "fcfs") -> list[str]:
    """A sentence for each load at which the control is too unsure to rule a leak out, though none was found."""
    low, high = RANGE
    found = []
    for load, one in _judged(answers, baseline):
        below, above = _interval(one)
        if below < low or above > high:
            found.append(
                f"{short_title(baseline)} / control is somewhere in {figure(below)} to {figure(above)}"
                f" ({load_title(load, 'at no stated rate')}), which does not rule out a gain beyond {low} to {high}:"
                " more requests or repeats would."
            )
    return found


def _judged(answers: pd.DataFrame, baseline: Baseline) -> Iterator[tuple[float, pd.DataFrame]]:
    """The answers of each load that has both, the baseline under the name of what ratios are made with."""
    both = answers[answers.policy.isin([baseline, CONTROL])]
    for load, one in by_load(both):
        if one.policy.nunique() == 2:
            yield load, one.assign(policy=one.policy.where(one.policy == CONTROL, "fcfs"))


def _is_sure(answers: pd.DataFrame) -> bool:
    low, high = RANGE
    below, above = _interval(answers)
    return below > high or above < low


def _interval(answers: pd.DataFrame) -> tuple[float, float]:
    """Of baseline ÷ control, at one load."""
    figures = figures_at(compare(answers), float(answers.load.iloc[0]))[CONTROL]
    return figures[f"{RATIO}_low"], figures[f"{RATIO}_high"]
