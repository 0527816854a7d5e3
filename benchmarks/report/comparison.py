"""Policies beside each other at each load, each figure with its interval. Pure."""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import pandas as pd

from benchmarks.answers import ALONE, check_answers
from benchmarks.report.goodput import MET, Objectives
from benchmarks.report.intervals import Uncertainty, log_mean, log_quantile
from benchmarks.report.runs import runs_of
from benchmarks.report.summary import E2E_RATIO, RATIO, summarise

P90, P99 = partial(log_quantile, share=0.9), partial(log_quantile, share=0.99)
OF_POLICY = (
    ("s_per_token", "s_per_token", log_mean),
    ("s_per_token_p90", "s_per_token", P90),
    ("s_per_token_p99", "s_per_token", P99),
    ("e2e_s_mean", "e2e_s", log_mean),
    ("e2e_s_p90", "e2e_s", P90),
    ("e2e_s_p99", "e2e_s", P99),
)
"""Figures with an interval: their names, of which column, and as what."""
OBJECTIVES = Objectives()
OF_RATIO = {RATIO: "s_per_token", E2E_RATIO: "e2e_s"}
"""First come, first served ÷ each policy: of which column's mean."""
MATTERS_FROM = 1.05
"""Ordering matters where even the low end of FCFS ÷ policy is above this."""


def compare(answers: pd.DataFrame, objectives: Objectives = OBJECTIVES) -> pd.DataFrame:
    """One row a load and policy: the figures of `summary.summarise`, and `NAME_low` and `NAME_high` of some of them.

    Loads ascend, the one that no rate describes (NaN) first. The intervals are those of `intervals.py`.

    Raises:
        InvalidInput: a column is missing, or at one load the runs did not answer the same requests.
    """
    parts = []
    for load, one in by_load(check_answers(answers)):
        figures = summarise(one)
        figures[MET] = objectives.met_objectives(one).groupby(one.policy).mean()
        parts.append(pd.concat([figures, _intervals(one, figures)], axis="columns").reset_index().assign(load=load))
    return pd.concat(parts, ignore_index=True)


def by_load(answers: pd.DataFrame) -> Iterator[tuple[float, pd.DataFrame]]:
    """The answers of each load, in ascending order, NaN first."""
    for load, one in answers.groupby(answers.load.fillna(-np.inf), sort=True):
        yield (float(load) if np.isfinite(load) else np.nan), one


def highest_load(answers: pd.DataFrame) -> float:
    """The highest rate; NaN where there is none, as in a burst."""
    return float(answers.load[answers.load > ALONE].max())


def at_load(rows: pd.DataFrame, load: float) -> pd.DataFrame:
    """The rows of one load, which may be NaN."""
    return rows[rows.load.isna() if np.isnan(load) else rows.load == load]


def figures_at(table: pd.DataFrame, load: float) -> dict[str, dict[str, float]]:
    """Of one load, each policy's figures by their names."""
    rows = at_load(table, load).set_index("policy").drop(columns="load")
    return {str(policy): {str(name): float(value) for name, value in row.items()} for policy, row in rows.iterrows()}


def onset(table: pd.DataFrame, policy: str) -> float | None:
    """The lowest load from which on, at every measured load, ordering by this policy matters; None if it never does."""
    rows = table[(table.policy == policy) & table.load.notna()].sort_values("load", ascending=False)
    found = None
    for row in rows.itertuples():
        if not getattr(row, f"{RATIO}_low") > MATTERS_FROM:
            break
        found = float(row.load)  # type: ignore[arg-type]
    return found


def _intervals(answers: pd.DataFrame, figures: pd.DataFrame) -> pd.DataFrame:
    """Of one load: both ends of the interval of each figure; NaN of a factor where there is nothing to compare with."""
    runs = runs_of(answers)
    ends = pd.DataFrame(index=figures.index)
    for name, column, log_figure in OF_POLICY:
        values = runs.values(column)
        sure = Uncertainty(runs, log_figure(values), mean=log_mean(values))
        factors = {policy: np.exp(sure.of_policy(place)) for place, policy in enumerate(runs.policies)}
        _put(ends, name, figures, factors)
    for name, column in OF_RATIO.items():
        sure = Uncertainty(runs, log_mean(runs.values(column)))
        fcfs = runs.policies.index("fcfs") if "fcfs" in runs.policies else None
        factors = {
            policy: np.nan if fcfs is None else np.exp(sure.of_ratio(fcfs, place))
            for place, policy in enumerate(runs.policies)
        }
        _put(ends, name, figures, factors)
    return ends


def _put(ends: pd.DataFrame, name: str, figures: pd.DataFrame, factors: Mapping[str, float]) -> None:
    factor = pd.Series(factors)
    ends[f"{name}_low"], ends[f"{name}_high"] = figures[name] / factor, figures[name] * factor
