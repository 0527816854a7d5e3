"""How well a sweep knows the coefficients that were fitted to it, and what the simulation would lose without some."""

import numpy as np
import pandas as pd

from benchmarks.cost.measured_sweep import MeasuredSweep, Values
from benchmarks.cost.step_cost_fit import FIRST_GUESS, OF_CONTEXT, SOFT_FROM, RankingCost, fit_step_cost
from serving.work.step_cost import StepCost

STEP = 0.02
"""Of a coefficient or its first guess: how far it is moved to see what changes."""
TOLD_FROM_0 = 2.0
"""Standard errors."""


def certainty(sweep: MeasuredSweep, cost: StepCost) -> pd.DataFrame:
    """A row a fitted coefficient: `value`, `standard_error`, and the root mean square error of the sweep's simulation.

    `error` is with it, `error_without` that of another fit in which it is 0; only where it is of a context.
    """
    rows = pd.DataFrame(
        {"value": {name: getattr(cost, name) for name in FIRST_GUESS}, "standard_error": standard_errors(sweep, cost)}
    )
    ranking = RankingCost(cost.ranking_s, cost.scoring_s, cost.instant_s)
    for name in OF_CONTEXT:
        rows.loc[name, "error"] = root_mean_square_error(sweep, cost)
        without = fit_step_cost(sweep, ranking, cost.measured_on, without=(name,), near=cost)
        rows.loc[name, "error_without"] = root_mean_square_error(sweep, without)
    return rows


def sentences(rows: pd.DataFrame) -> list[str]:
    """What a reader must know of each coefficient."""
    return [_sentence(str(name), row) for name, row in rows.iterrows()]


def root_mean_square_error(sweep: MeasuredSweep, cost: StepCost) -> float:
    """Of simulated ÷ measured - 1 over the times to the last token, where each burst counts the same."""
    squares = pd.Series((np.exp(sweep.log_error(cost)) - 1) ** 2)[sweep.is_end]
    return float(np.sqrt(squares.groupby(sweep.burst_of_each[sweep.is_end]).mean().mean()))


def standard_errors(sweep: MeasuredSweep, cost: StepCost) -> dict[str, float]:
    """Of each fitted coefficient, robust to times of one burst being off together.

    The sandwich estimator of an M-estimator (Huber 1967) with bursts as its clusters (Liang and Zeger 1986).
    """
    steps = {name: STEP * max(getattr(cost, name), FIRST_GUESS[name] * sweep.s_per_token) for name in FIRST_GUESS}
    error = sweep.log_error(cost)
    moved = [sweep.log_error(cost.assuming({name: getattr(cost, name) + by})) for name, by in steps.items()]
    slopes = np.column_stack([one - error for one in moved])
    weights = 1 / np.sqrt(1 + (error / SOFT_FROM) ** 2)
    scores = pd.DataFrame(slopes * (weights * error)[:, None]).groupby(sweep.burst_of_each).sum().to_numpy()
    bread = np.linalg.pinv(slopes.T @ (slopes * weights[:, None]))
    covariance: Values = bread @ (scores.T @ scores) @ bread
    spread = np.sqrt(np.diag(covariance) * _small_sample(len(scores), len(steps)))
    return {name: float(one) * by for one, (name, by) in zip(spread, steps.items(), strict=True)}


def _small_sample(bursts: int, coefficients: int) -> float:
    return bursts / max(1, bursts - coefficients)


def _sentence(name: str, row: "pd.Series[float]") -> str:
    known = f"{name}: {row.value * 1e3:.3g} ± {row.standard_error * 1e3:.2g} ms (standard error)"
    if np.isnan(row.error_without):
        return f"{known}."
    told = "is" if row.value > TOLD_FROM_0 * row.standard_error else "cannot be"
    return (
        f"{known}, which {told} told from 0; without it the simulation of the sweep is off by"
        f" {row.error_without:.1%} instead of {row.error:.1%} (root mean square)."
    )
