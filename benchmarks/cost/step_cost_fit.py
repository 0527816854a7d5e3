"""From measured answers to what a step costs: the coefficients with which the simulation comes closest."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import least_squares
from scipy.stats import theilslopes

from benchmarks.cost.measured_sweep import MeasuredSweep, Values
from registry.errors import InvalidInput
from serving.work.step_cost import StepCost

logger = logging.getLogger(__name__)

FIRST_GUESS = {
    "fixed_s": 0.8,
    "per_token_s": 0.01,
    "per_sequence_s": 0.05,
    "per_context_token_s": 1e-4,
    "per_longest_token_s": 1e-4,
    "transit_s": 0.3,
}
"""What is fitted; shares of the mean seconds per token of the smallest burst."""
OF_CONTEXT = ("per_context_token_s", "per_longest_token_s")
MIN_SIZES = 2
WITH_THE_FIRST_TOKEN = 0.95
"""Of the time to the first token: what is accepted later was not accepted before the engine had it."""
LEAST_S = 1e-10
"""No coefficient is less, or their logarithms would have no end."""
FROM_NOTHING = 0.1
"""Of its first guess: with how much of a coefficient another search begins at least."""
SOFT_FROM = 0.1
"""Relative errors beyond this count less than their square."""


class RankingCost(NamedTuple):
    """What ranking costs; the coefficients of `StepCost`."""

    ranking_s: float
    scoring_s: float
    instant_s: float = StepCost.instant_s


def fit_step_cost(
    sweep: MeasuredSweep, ranking: RankingCost, on: str, without: Sequence[str] = (), near: StepCost | None = None
) -> StepCost:
    """Fit the coefficients to runs of the live engine, each simulated anew for every guess.

    The scheduler of the simulation is the engine's own, so chunks, queues and staggered starts are in both, and only
    the costs are free. Least squares of log (simulated ÷ measured) over the times to the first and the last token,
    soft in the tails, in the logarithms of the coefficients. What a request costs before it is on its way is read from
    when the server accepted it, and not fitted, since what a step admits jumps with it.

    Args:
        sweep: bursts of at least two different sizes.
        ranking: what ranking a prompt costs, measured by itself.
        on: which model on which machine.
        without: coefficients that are 0.
        near: where the search begins; at shares of the seconds per token unless given.

    Raises:
        InvalidInput: all bursts have the same size.
    """
    if len({len(one) for one in sweep.bursts}) < MIN_SIZES:
        raise InvalidInput(
            f"a sweep must have bursts of at least {MIN_SIZES} sizes, but got {len(sweep.bursts)} of one."
        )
    guess = {name: share * sweep.s_per_token for name, share in FIRST_GUESS.items() if name not in without}
    if near:  # but from nothing no logarithm finds back
        guess = {name: max(getattr(near, name), FROM_NOTHING * one) for name, one in guess.items()}
    intake_s, handing_on_s = _before_the_engine_s(sweep.bursts)

    def cost_of(logs: Values) -> StepCost:
        fitted = dict(zip(guess, np.exp(logs).tolist(), strict=True))
        return StepCost(**fitted, **ranking._asdict(), intake_s=intake_s, handing_on_s=handing_on_s, measured_on=on)

    def error_of(logs: Values) -> Values:
        return sweep.log_error(cost_of(logs))

    start = np.log(np.maximum(list(guess.values()), LEAST_S))
    bounds = (np.full_like(start, np.log(LEAST_S)), np.full_like(start, np.log(100 * sweep.s_per_token)))
    found = least_squares(
        error_of, start, bounds=bounds, loss="soft_l1", f_scale=SOFT_FROM, diff_step=(0.02,), ftol=1e-4
    )
    relative = np.abs(np.exp(error_of(found.x)) - 1)
    return replace(cost_of(found.x), relative_error=float(np.median(relative[sweep.is_end])))


def _before_the_engine_s(measured: Sequence[pd.DataFrame]) -> tuple[float, float]:
    """What a request costs to be taken in and to be handed on, by when the requests of a burst are accepted.

    With each further request the last one is accepted later by the sum of both (the slope by Theil and Sen, as some
    bursts are held up); the requests of one burst are accepted as far apart as handing one on takes.
    """
    if np.median(np.concatenate([one.accepted_s / one.ttft_s for one in measured])) > WITH_THE_FIRST_TOKEN:
        logger.warning("The endpoint accepts no request before its first token, so intake is taken to cost nothing.")
        return 0.0, 0.0
    accepted_s = [np.asarray(one.sent_s + one.accepted_s) for one in measured]
    both_s = float(theilslopes([one.max() for one in accepted_s], [len(one) for one in accepted_s]).slope)
    handing_on_s = float(np.median([np.ptp(one) / (len(one) - 1) for one in accepted_s if len(one) > 1]))
    return max(0.0, both_s - handing_on_s), handing_on_s
