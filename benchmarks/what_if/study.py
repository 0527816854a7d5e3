"""What is tried, in which order: first the log itself and other loads, then settings where they matter.

Pure but for what `simulate` does: it takes runs, which do not depend on each other, and returns their answers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from benchmarks.answers import ALONE
from benchmarks.report.comparison import MATTERS_FROM, at_load, compare
from benchmarks.report.summary import RATIO, summarise
from benchmarks.simulation.engine.run import Run
from benchmarks.what_if.config import WhatIfConfig
from benchmarks.what_if.placed import PlacedTraffic, order_of_tau
from benchmarks.what_if.placed_runs import (
    LOAD,
    LOG,
    Simulate,
    answers_at_loads,
    answers_of_windows,
    at_load_of,
    runs_of_policies,
)
from benchmarks.what_if.stretches import Stretches
from serving.work.step_cost import StepCost

WAITS_FROM = 0.05
"""Requests wait if at least this share of them finds the engine full."""


@dataclass(frozen=True)
class Case:
    """One simulation, and what it is to show."""

    study: str
    """`log`, `load`, `tau`, `patience_s` or `max_num_seqs`: what is varied."""
    value: float
    """Its value; NaN where nothing is varied."""
    run: Run


Setting = tuple[str, float, str]
"""Study, value, policy."""


@dataclass(frozen=True)
class Studied:
    """All that was simulated."""

    answers: pd.DataFrame
    """Of the log as it is (without a load) and of its busiest stretch at every load, `ALONE` among them. `study` says
    which; `waited`, whether a request found the engine full."""
    of_settings: Mapping[Setting, pd.DataFrame]
    """The answers of the other studies, all at `sweep_load`; none where nothing waits."""
    stretches: Stretches
    sweep_load: float
    """The load at which settings were tried, or would be; NaN if ordering matters at none."""

    @property
    def settings(self) -> pd.DataFrame:
        """A row a case: `study, value, policy, load` and the figures of `summary.summarise`."""
        return pd.DataFrame([_row(setting, one) for setting, one in self.of_settings.items()])

    @property
    def of_log(self) -> pd.DataFrame:
        """The answers of the log as it is."""
        return self.answers[self.answers.study == LOG]

    @property
    def unbroken(self) -> pd.DataFrame:
        """The answers whose neighbours are all there: one deal of the control gains by chance in a few windows."""
        return self.answers if self.stretches.is_whole else self.answers[self.answers.study == LOAD]

    @property
    def of_peak(self) -> pd.DataFrame:
        """The answers of its busiest stretch as it came."""
        return at_load(self.answers[self.answers.study == LOAD], self.stretches.peak_load)

    @property
    def has_waiting(self) -> bool:
        """Whether anything waits in the log: over all of it, or in its busiest stretch."""
        return any(waiting_share(one) >= WAITS_FROM for one in (self.of_log, self.of_peak))


def waiting_share(answers: pd.DataFrame) -> float:
    """Share of the requests that find the engine full, first come, first served."""
    return float(answers[answers.policy == "fcfs"].waited.mean())


def study(
    config: WhatIfConfig, cost: StepCost, placed: PlacedTraffic, stretches: Stretches, simulate: Simulate
) -> Studied:
    """Simulate the log, other loads and, where anything waits, other settings, on an engine of this step cost."""
    busiest = placed.window(stretches.peak.start, stretches.peak.stop)
    of_log = answers_of_windows(config, cost, placed, stretches.windows, simulate)
    loads = sorted({ALONE, *config.loads, stretches.peak_load})
    of_loads = answers_at_loads(config, cost, busiest, stretches, loads, simulate)
    answers = pd.concat([of_log, of_loads], ignore_index=True)
    rated = answers[answers.study == LOAD]
    found = Studied(answers, {}, stretches, load_that_matters(rated, stretches.peak_load))
    if not found.has_waiting:
        return found
    sweep_load = found.sweep_load if np.isfinite(found.sweep_load) else float(rated.load.max())
    settings = list(_settings(config, cost, at_load_of(busiest, stretches, sweep_load), sweep_load))
    tables = simulate([case.run for case in settings])
    of_settings = {(case.study, case.value, case.run.policy): one for case, one in zip(settings, tables, strict=True)}
    return replace(found, of_settings=of_settings, sweep_load=sweep_load)


def load_that_matters(answers: pd.DataFrame, own_load: float) -> float:
    """The log's own load if ordering surely matters there, else the lowest one above at which it does; NaN if none."""
    table = compare(answers)
    matters = table[(table.policy == "pars") & (table[f"{RATIO}_low"] > MATTERS_FROM)].load.tolist()
    above = [load for load in matters if not load < own_load]
    return float(min(above or matters, default=np.nan))


def _settings(config: WhatIfConfig, cost: StepCost, placed: PlacedTraffic, load: float) -> Iterator[Case]:
    by_policy = {run.policy: run for run in runs_of_policies(config, cost, placed, load)}
    fcfs, pars = by_policy["fcfs"], by_policy["pars"]
    yield Case("tau", float("nan"), fcfs)
    for tau in config.tried_taus:
        order = replace(order_of_tau(config, cost, placed.traffic, tau), patience_s=config.patience_s)
        yield Case("tau", tau, replace(pars, order=order))
    for patience_s in sorted({*config.patiences_s, config.patience_s}):
        yield Case("patience_s", patience_s, replace(pars, order=replace(pars.order, patience_s=patience_s)))
    for seqs in config.tried_seqs:
        for one in (fcfs, pars):
            yield Case("max_num_seqs", float(seqs), replace(one, engine=replace(one.engine, max_num_seqs=seqs)))


def _row(setting: Setting, answers: pd.DataFrame) -> dict[str, object]:
    name, value, policy = setting
    row: dict[str, object] = {"study": name, "value": value, "policy": policy, "load": answers.load.iloc[0]}
    return row | {str(name): value for name, value in summarise(answers).loc[policy].items()}
