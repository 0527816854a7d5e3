"""What is tried, in which order: first the log itself and other loads, then settings where they matter.

Pure but for what `simulate` does: it takes runs, which do not depend on each other, and returns their answers.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from benchmarks.answers import ALONE
from benchmarks.report.comparison import MATTERS_FROM, at_load, compare
from benchmarks.report.summary import RATIO, summarise
from benchmarks.simulation.engine.run import Run
from benchmarks.simulation.engine.uncontended import one_at_a_time
from benchmarks.what_if.config import WhatIfConfig
from benchmarks.what_if.placed import PlacedTraffic, order_of_tau
from benchmarks.what_if.stretches import Stretches
from benchmarks.what_if.windows import Window
from serving.work.step_cost import StepCost

LOG, LOAD = "log", "load"
ALONE_REQUESTS = 50
"""Of the busiest stretch, which are also sent one at a time, so that nothing contends."""
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


Simulate = Callable[[Sequence[Run]], list[pd.DataFrame]]
"""One table of answers a run (`benchmarks/answers.py`), in the order of the runs."""
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
    of_log = _of_windows(config, cost, placed, stretches.windows, simulate)
    cases = [
        Case(LOAD, load, run)
        for load in sorted({ALONE, *config.loads, stretches.peak_load})
        for run in _runs(config, cost, _requests_at(config, cost, busiest, stretches, load), load)
    ]
    tables = simulate([case.run for case in cases])
    of_loads = [_noted(config, one).assign(study=LOAD) for one in tables]
    answers = pd.concat([of_log, *of_loads], ignore_index=True)
    rated = answers[answers.study == LOAD]
    found = Studied(answers, {}, stretches, load_that_matters(rated, stretches.peak_load))
    if not found.has_waiting:
        return found
    sweep_load = found.sweep_load if np.isfinite(found.sweep_load) else float(rated.load.max())
    settings = list(_settings(config, cost, at_load_of(busiest, stretches, sweep_load), sweep_load))
    tables = simulate([case.run for case in settings])
    of_settings = {(case.study, case.value, case.run.policy): one for case, one in zip(settings, tables, strict=True)}
    return replace(found, of_settings=of_settings, sweep_load=sweep_load)


def _requests_at(
    config: WhatIfConfig, cost: StepCost, busiest: PlacedTraffic, stretches: Stretches, load: float
) -> PlacedTraffic:
    if load != ALONE:
        return at_load_of(busiest, stretches, load)
    few = busiest.window(0, ALONE_REQUESTS)
    return replace(few, traffic=one_at_a_time(few.traffic, config.engine, cost))


def at_load_of(busiest: PlacedTraffic, stretches: Stretches, load: float) -> PlacedTraffic:
    """The busiest stretch at another load; at its own it is as it came, and what came all at once comes evenly."""
    if load == stretches.peak_load:
        return busiest
    if stretches.peak_lasts_s > 0:
        return busiest.at(stretches.peak_load / load)
    return busiest.evenly(load / stretches.peak_work_s)


def load_that_matters(answers: pd.DataFrame, own_load: float) -> float:
    """The log's own load if ordering surely matters there, else the lowest one above at which it does; NaN if none."""
    table = compare(answers)
    matters = table[(table.policy == "pars") & (table[f"{RATIO}_low"] > MATTERS_FROM)].load.tolist()
    above = [load for load in matters if not load < own_load]
    return float(min(above or matters, default=np.nan))


def _of_windows(
    config: WhatIfConfig, cost: StepCost, placed: PlacedTraffic, windows: Sequence[Window], simulate: Simulate
) -> pd.DataFrame:
    """The answers that count, of all windows, at the times of the log."""
    runs = [
        (window, run)
        for window in windows
        for run in _runs(config, cost, placed.window(window.before, window.after), float("nan"))
    ]
    tables = simulate([run for _, run in runs])
    counted = []
    for (window, _), one in zip(runs, tables, strict=True):
        kept = _noted(config, one).iloc[window.places - window.before]
        counted.append(kept.assign(sent_s=kept.sent_s + placed.traffic.arrival_s[window.before], study=LOG))
    return pd.concat(counted, ignore_index=True)


def _noted(config: WhatIfConfig, answers: pd.DataFrame) -> pd.DataFrame:
    """With whether each request found the engine full: as many others as it works on, or no room in its KV cache."""
    sent_s, ended_s = answers.sent_s.to_numpy(), (answers.sent_s + answers.e2e_s).to_numpy()
    tokens = (answers.prompt_tokens + answers.output_tokens).to_numpy()
    gone = np.searchsorted(np.sort(ended_s), sent_s, side="right")
    ended_tokens = np.concatenate([[0], np.cumsum(tokens[np.argsort(ended_s, kind="stable")])])
    others = np.arange(len(answers)) - gone
    is_full = others >= config.max_num_seqs
    if config.kv_cache_tokens:
        is_full |= np.cumsum(tokens) - ended_tokens[gone] > config.kv_cache_tokens
    return answers.assign(waited=is_full)


def _runs(config: WhatIfConfig, cost: StepCost, placed: PlacedTraffic, load: float) -> list[Run]:
    """One a policy; only finding the places of PARS takes time."""
    return [
        Run(
            traffic=placed.traffic,
            order=replace(order, patience_s=config.patience_s),
            engine=config.engine,
            cost=cost,
            policy=policy,
            load=load,
        )
        for policy, order in placed.orders.items()
    ]


def _settings(config: WhatIfConfig, cost: StepCost, placed: PlacedTraffic, load: float) -> Iterator[Case]:
    by_policy = {run.policy: run for run in _runs(config, cost, placed, load)}
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
