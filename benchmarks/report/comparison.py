"""Policies beside each other at each load, each figure with its interval. Pure."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pandas as pd

from benchmarks.answers import check_answers
from benchmarks.report.bootstrap import Positions, Values, interval, resampled
from benchmarks.report.summary import RATIO, summarise
from registry.errors import InvalidInput

WITH_INTERVAL = ("s_per_token", RATIO, "s_per_token_p90", "e2e_s_p99")
MATTERS_FROM = 1.05
"""Ordering matters where even the low end of FCFS ÷ policy is above this."""


def compare(answers: pd.DataFrame) -> pd.DataFrame:
    """One row a load and policy: the figures of `summary.summarise`, and `NAME_low` and `NAME_high` of some of them.

    Loads ascend, the one that no rate describes (NaN) first. The intervals are those of `bootstrap.py`.

    Raises:
        InvalidInput: a column is missing, or at one load the policies did not answer the same number of requests.
    """
    parts = [
        pd.concat([summarise(one), _intervals(one)], axis="columns").reset_index().assign(load=load)
        for load, one in by_load(check_answers(answers))
    ]
    return pd.concat(parts, ignore_index=True)


def by_load(answers: pd.DataFrame) -> Iterator[tuple[float, pd.DataFrame]]:
    """The answers of each load, in ascending order, NaN first."""
    for load, one in answers.groupby(answers.load.fillna(-np.inf), sort=True):
        yield (float(load) if np.isfinite(load) else np.nan), one


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


def _intervals(answers: pd.DataFrame) -> pd.DataFrame:
    """Of one load: a row a policy."""
    ordered = answers.sort_values("repeat", kind="stable")
    s_per_token = {str(name): (one.e2e_s / one.output_tokens).to_numpy() for name, one in ordered.groupby("policy")}
    e2e_s = {str(name): one.e2e_s.to_numpy() for name, one in ordered.groupby("policy")}
    counts = {name: len(values) for name, values in e2e_s.items()}
    if len(set(counts.values())) > 1:
        raise InvalidInput(f"policies are compared on the same requests, but answered {counts}; compare whole runs.")
    statistics: dict[str, Callable[[Positions], float]] = {}
    repeats = _repeats(ordered)
    for policy, values in s_per_token.items():
        statistics[f"{policy}/s_per_token"] = partial(_mean, values, repeats)
        statistics[f"{policy}/s_per_token_p90"] = partial(_quantile, values, 0.9, repeats)
        statistics[f"{policy}/e2e_s_p99"] = partial(_quantile, e2e_s[policy], 0.99, repeats)
    found = resampled(statistics, len(repeats[0]))
    for policy in s_per_token if "fcfs" in s_per_token else ():
        found[f"{policy}/{RATIO}"] = found["fcfs/s_per_token"] / found[f"{policy}/s_per_token"]
    rows = {policy: _row(policy, found) for policy in s_per_token}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("policy")


def _row(policy: str, found: dict[str, Values]) -> dict[str, float]:
    row = {}
    for name in WITH_INTERVAL:
        values = found.get(f"{policy}/{name}")
        row[f"{name}_low"], row[f"{name}_high"] = (np.nan, np.nan) if values is None else interval(values)
    return row


def _repeats(ordered: pd.DataFrame) -> Positions:
    """Where each request of a run stands among a policy's answers, [repeats, requests].

    A repeat answers the same requests again, in the opposite order every second time, and is no new evidence on other
    requests; so whoever draws a request draws it in all repeats.
    """
    sizes = ordered.groupby(["policy", "repeat"], sort=False).size()
    if sizes.nunique() > 1:
        raise InvalidInput(f"repeats answer the same requests, but answered {sizes.to_dict()}; compare whole runs.")
    numbers = sorted(ordered.repeat.unique())
    one_run = np.arange(sizes.iloc[0])
    runs = [one_run[::-1] if number % 2 else one_run for number in numbers]
    return np.array([place * len(one_run) + run for place, run in enumerate(runs)])


def _mean(values: Values, repeats: Positions, positions: Positions) -> float:
    return float(values[repeats[:, positions]].mean())


def _quantile(values: Values, share: float, repeats: Positions, positions: Positions) -> float:
    """The smallest value that at least this share of the drawn ones does not exceed."""
    drawn = values[repeats[:, positions]].ravel()
    place = int(np.ceil(share * len(drawn))) - 1
    return float(np.partition(drawn, place)[place])
