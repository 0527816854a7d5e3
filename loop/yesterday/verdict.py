"""What a day says: whether the simulation is like what was, and what first come, first served would have been. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import log, nan

import numpy as np
import pandas as pd

from benchmarks.policies.titles import figure
from benchmarks.report.comparison import compare, figures_at
from benchmarks.report.summary import RATIO
from benchmarks.what_if.study import WAITS_FROM, waiting_share
from loop.yesterday.served_day import ServedDay
from loop.yesterday.simulated_day import FCFS, PARS, SERVED, SimulatedDay
from serving.champion.yesterday_line import Yesterday

NEAR_WITHIN = 1.25
"""A simulated day is near the one that was if its means, per token and to the last token, are within this factor."""
GIVE_COST = (
    "give the cost of your own engine (cost=FILE, which measure-engine writes) and its flags, and the journal of one"
    " engine alone"
)


@dataclass(frozen=True)
class Verdict:
    """Of one day."""

    day: ServedDay
    simulated: SimulatedDay

    @cached_property
    def figures(self) -> dict[str, dict[str, float]]:
        """By policy and name, as `report/comparison.py` has them."""
        return figures_at(compare(self.simulated.answers.assign(load=nan)), nan)

    @cached_property
    def line(self) -> Yesterday:
        """What a server shows of it."""
        ratio, low, high = (self.figures[PARS][f"{RATIO}{end}"] for end in ("", "_low", "_high"))
        return Yesterday(
            day=self.day.day,
            fcfs_ratio=ratio,
            fcfs_ratio_low=low,
            fcfs_ratio_high=high,
            simulated_over_measured=self.over_measured("s_per_token"),
            is_near=self.is_near,
            waiting_share=self.waiting_share,
            requests=self.requests,
        )

    def over_measured(self, name: str) -> float:
        """The simulated day, in the order that it was served, ÷ the one that was."""
        return self.figures[PARS][name] / self.figures[SERVED][name]

    @property
    def is_near(self) -> bool:
        """Whether the simulation may be spoken of."""
        return all(abs(log(self.over_measured(name))) <= log(NEAR_WITHIN) for name in ("s_per_token", "e2e_s_mean"))

    @property
    def requests(self) -> int:
        """That the figures are about."""
        return int(self.simulated.answers.request.nunique())

    @property
    def waiting_share(self) -> float:
        """Share of the requests that find the simulated engine full, first come, first served."""
        return waiting_share(self.simulated.answers)

    def sentences(self) -> Iterator[str]:
        """The most important one first."""
        if not self.is_near:
            yield (
                f"What this simulation says of {self.day.day} is not to be trusted:"
                f" it is not near what was measured, {self._distance}; {GIVE_COST}."
            )
        yield self._claim
        yield self._limit
        yield self._measured
        if self.is_near:
            yield f"The simulation of the order that was served is near what was measured: {self._distance}."

    @property
    def in_a_line(self) -> str:
        """Where the figures alone would say too much; else nothing."""
        if not self.is_near:
            return "Not to be trusted: the simulated day is far from the one that was"
        return "No contention, no gain" if self.waiting_share < WAITS_FROM else ""

    @property
    def next_step(self) -> str:
        """What follows from it: a sentence."""
        low, high = (self.figures[PARS][f"{RATIO}{end}"] for end in ("_low", "_high"))
        if not self.is_near:
            return f"{GIVE_COST.capitalize()}, and look at this day again."
        if self.waiting_share < WAITS_FROM:
            return "Leave it as it is: ordering costs nothing where nothing waits. Look at a busier day (day=DATE)."
        if low > 1:
            return "Leave ordering on."
        if high < 1:
            return (
                "See how well the ranker still orders (pars watch), and switch ordering off meanwhile (pars ordering)."
            )
        return "Look at a busier day (day=DATE), or at more of this one (max_requests)."

    @property
    def _claim(self) -> str:
        one, fcfs = self.figures[PARS], self.figures[FCFS]
        ratio, low, high = (one[f"{RATIO}{end}"] for end in ("", "_low", "_high"))
        taken = (
            f"{figure(fcfs['s_per_token'])} s per token instead of {figure(one['s_per_token'])} s (simulated, a factor"
            f" of {figure(ratio)}, {figure(low)} to {figure(high)}), and {figure(fcfs['e2e_s_mean'])} s end-to-end"
            f" instead of {figure(one['e2e_s_mean'])} s"
        )
        if self.waiting_share < WAITS_FROM:
            return (
                f"No contention, no gain: hardly anything waited on {self.day.day} ({100 * self.waiting_share:.1f} % of"
                f" the requests find the engine full), and first come, first served it would have taken {taken}."
            )
        if low <= 1 <= high:
            return f"Under first come, first served {self.day.day} would not surely have been another day: {taken}."
        word = "longer" if low > 1 else "less long"
        return f"Under first come, first served answers would have taken {word} on {self.day.day}: {taken}."

    @property
    def _limit(self) -> str:
        """The oracle beside it, and how much of its gain was there."""
        fcfs, own, best = (self.figures[one]["s_per_token"] for one in (FCFS, PARS, "oracle"))
        kept = f": {100 * (fcfs - own) / (fcfs - best):.0f} % of that gain was there" if fcfs > 1.05 * best else ""
        return f"Knowing every length it would have taken {figure(best)} s per token{kept}."

    @property
    def _measured(self) -> str:
        answers = self.simulated.answers[self.simulated.answers.policy == SERVED]
        queued_s = self.day.queued_s[answers.request.to_numpy()]
        return (
            f"As it was served (measured, {self.requests:,} answers): {figure(self.figures[SERVED]['s_per_token'])} s"
            f" per token; p50, p90 and p99 {_quantiles(answers.e2e_s)} s end-to-end, {_quantiles(answers.ttft_s)} s to"
            f" the first token, {_quantiles(pd.Series(queued_s))} s in the queue."
        )

    @property
    def _distance(self) -> str:
        names = {"s_per_token": "s per token", "e2e_s_mean": "mean s end-to-end"}
        return " and ".join(f"{figure(self.over_measured(name))} times the {word}" for name, word in names.items())


def _quantiles(seconds: pd.Series) -> str:
    return ", ".join(figure(one) for one in np.quantile(seconds, (0.5, 0.9, 0.99)).tolist())
