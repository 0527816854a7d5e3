"""From measured answers to what a step costs: the coefficients with which the simulation comes closest."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import least_squares
from scipy.stats import theilslopes

from benchmarks.simulation.engine_settings import EngineSettings
from benchmarks.simulation.intake import Order
from benchmarks.simulation.run import Run, simulate_run
from benchmarks.simulation.step_cost import StepCost
from registry.errors import InvalidInput
from traffic.served_log import Traffic

logger = logging.getLogger(__name__)

Values = npt.NDArray[np.float64]
FIRST_GUESS = {"fixed_s": 0.8, "per_token_s": 0.01, "per_sequence_s": 0.05, "transit_s": 0.3}
"""What is fitted; shares of the mean seconds per token of the smallest run."""
MIN_SIZES = 2
WITH_THE_FIRST_TOKEN = 0.95
"""Of the time to the first token: what is accepted later was not accepted before the engine had it."""
LEAST_S = 1e-7
"""No coefficient is less, or their logarithms would have no end."""


class RankingCost(NamedTuple):
    """What ranking costs; the coefficients of `StepCost`."""

    ranking_s: float
    scoring_s: float


def fit_step_cost(measured: Sequence[pd.DataFrame], engine: EngineSettings, ranking: RankingCost, on: str) -> StepCost:
    """Fit the coefficients to runs of the live engine, each simulated anew for every guess.

    The scheduler of the simulation is the engine's own, so chunks, queues and staggered starts are in both, and only
    the costs are free. Least squares of log (simulated ÷ measured) over the times to the first and the last token,
    soft in the tails, in the logarithms of the coefficients. What a request costs before it is on its way is read from
    when the server accepted it, and not fitted, since what a step admits jumps with it.

    Args:
        measured: one table of answers a burst (`benchmarks/answers.py`, and `accepted_s`), all first come, first
            served, of at least two different sizes.
        engine: the engine that answered.
        ranking: what ranking a prompt costs, measured by itself.
        on: which model on which machine.

    Raises:
        InvalidInput: all bursts have the same size.
    """
    if len({len(one) for one in measured}) < MIN_SIZES:
        raise InvalidInput(f"a sweep must have bursts of at least {MIN_SIZES} sizes, but got {len(measured)} of one.")
    smallest = min(measured, key=len)
    s_per_token = float((smallest.e2e_s / smallest.output_tokens).mean())
    wanted = np.concatenate([_times_s(one) for one in measured])
    intake_s, handing_on_s = _before_the_engine_s(measured)

    def cost_of(logs: Values) -> StepCost:
        fitted = dict(zip(FIRST_GUESS, np.exp(logs).tolist(), strict=True))
        return StepCost(**fitted, **ranking._asdict(), intake_s=intake_s, handing_on_s=handing_on_s, measured_on=on)

    def off_by(logs: Values) -> Values:
        cost = cost_of(logs)
        return np.asarray(np.log(np.concatenate([_times_s(_again(one, engine, cost)) for one in measured]) / wanted))

    start = np.log(np.maximum(np.array([*FIRST_GUESS.values()]) * s_per_token, LEAST_S))
    bounds = (np.full_like(start, np.log(LEAST_S)), np.full_like(start, np.log(100 * s_per_token)))
    found = least_squares(off_by, start, bounds=bounds, loss="soft_l1", f_scale=0.1, diff_step=(0.02,))
    relative = np.abs(np.exp(off_by(found.x)) - 1)
    ends = np.concatenate([np.repeat([False, True], len(one)) for one in measured])
    return replace(cost_of(found.x), relative_error=float(np.median(relative[ends])))


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


def _again(measured: pd.DataFrame, engine: EngineSettings, cost: StepCost) -> pd.DataFrame:
    traffic = Traffic(
        arrival_s=np.zeros(len(measured)),  # what the client needs to send a burst is part of what taking it in costs
        prompt_tokens=measured.prompt_tokens.to_numpy(dtype=np.int64),
        output_tokens=measured.output_tokens.to_numpy(dtype=np.int64),
    )
    return simulate_run(Run(traffic=traffic, order=Order(), engine=engine, cost=cost))


def _times_s(answers: pd.DataFrame) -> Values:
    """To the first and the last tokens, after the burst began."""
    times_s = [answers.sent_s + answers.ttft_s, answers.sent_s + answers.e2e_s]
    return np.asarray(np.concatenate(times_s), dtype=np.float64)
