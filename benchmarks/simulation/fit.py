"""From measured answers to what a step costs: the coefficients with which the simulation comes closest."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import least_squares
from scipy.stats import theilslopes

from benchmarks.simulation.cost import StepCost
from benchmarks.simulation.intake import Order, Traffic
from benchmarks.simulation.requests import EngineSettings
from benchmarks.simulation.run import Run, simulate_run

Values = npt.NDArray[np.float64]
FIRST_GUESS = (0.8, 0.01, 0.05, 0.3)
"""Shares of the mean seconds per token of the smallest run: fixed, a token, a sequence, a request's way."""
LEAST_S = 1e-7
"""No coefficient is less, or their logarithms would have no end."""


class RankingCost(NamedTuple):
    """What ranking costs; the coefficients of `StepCost`."""

    ranking_s: float
    scoring_s: float | None = None


def fit_step_cost(measured: Sequence[pd.DataFrame], engine: EngineSettings, ranking: RankingCost, on: str) -> StepCost:
    """Fit the coefficients to runs of the live engine, each simulated anew for every guess.

    The scheduler of the simulation is the engine's own, so chunks, queues and staggered starts are in both, and only
    the costs are free. Least squares of log (simulated ÷ measured) over the times to the first and the last token,
    soft in the tails, in the logarithms of the coefficients. What a request costs before it is on its way is read from
    when the server began to answer, and not fitted, since what a step admits jumps with it.

    Args:
        measured: one table of answers a run (`benchmarks/answers.py`, and `accepted_s`), all first come, first served,
            of at least two different sizes.
        engine: the engine that answered.
        ranking: what ranking a prompt costs, measured by itself.
        on: which model on which machine.
    """
    smallest = min(measured, key=len)
    s_per_token = float((smallest.e2e_s / smallest.output_tokens).mean())
    wanted = np.concatenate([_times_s(one) for one in measured])
    handing_on_s = _handing_on_s(measured)
    intake_s = max(0.0, _taking_in_and_handing_on_s(measured) - handing_on_s)

    def cost_of(logs: Values, relative_error: float = 0.0) -> StepCost:
        fixed_s, per_token_s, per_sequence_s, transit_s = (float(one) for one in np.exp(logs))
        return StepCost(
            fixed_s=fixed_s,
            per_token_s=per_token_s,
            per_sequence_s=per_sequence_s,
            intake_s=intake_s,
            handing_on_s=handing_on_s,
            transit_s=transit_s,
            ranking_s=ranking.ranking_s,
            scoring_s=ranking.scoring_s,
            relative_error=relative_error,
            measured_on=on,
        )

    def off_by(logs: Values) -> Values:
        cost = cost_of(logs)
        return np.asarray(np.log(np.concatenate([_times_s(_again(one, engine, cost)) for one in measured]) / wanted))

    start = np.log(np.maximum(np.array(FIRST_GUESS) * s_per_token, LEAST_S))
    bounds = (np.full_like(start, np.log(LEAST_S)), np.full_like(start, np.log(100 * s_per_token)))
    found = least_squares(off_by, start, bounds=bounds, loss="soft_l1", f_scale=0.1, diff_step=(0.02,))
    relative = np.abs(np.exp(off_by(found.x)) - 1)
    ends = np.concatenate([np.repeat([False, True], len(one)) for one in measured])
    return cost_of(found.x, float(np.median(relative[ends])))


def _taking_in_and_handing_on_s(measured: Sequence[pd.DataFrame]) -> float:
    """How much later the last answer of a burst begins with each further request (Theil and Sen: some are held up)."""
    last_s = [float(_accepted_s(one).max()) for one in measured]
    return max(0.0, float(theilslopes(last_s, [len(one) for one in measured]).slope))


def _handing_on_s(measured: Sequence[pd.DataFrame]) -> float:
    """How far apart the answers to one burst begin."""
    return float(np.median([np.ptp(_accepted_s(one)) / (len(one) - 1) for one in measured if len(one) > 1]))


def _accepted_s(answers: pd.DataFrame) -> Values:
    return np.asarray(answers.sent_s + answers.accepted_s, dtype=np.float64)


def _again(measured: pd.DataFrame, engine: EngineSettings, cost: StepCost) -> pd.DataFrame:
    traffic = Traffic(
        sent_s=measured.sent_s.to_numpy(dtype=np.float64),
        prompt_tokens=measured.prompt_tokens.to_numpy(dtype=np.int64),
        output_tokens=measured.output_tokens.to_numpy(dtype=np.int64),
    )
    return simulate_run(Run(traffic=traffic, order=Order(), engine=engine, cost=cost))


def _times_s(answers: pd.DataFrame) -> Values:
    return np.asarray(np.concatenate([answers.ttft_s, answers.e2e_s]), dtype=np.float64)
