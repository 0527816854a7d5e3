"""Placed requests through the simulator: windows of a log as they came, and its busiest stretch at other loads.

Pure but for what `simulate` does: it takes runs, which do not depend on each other, and returns their answers.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from benchmarks.answers import ALONE
from benchmarks.simulation.engine.engine_settings import EngineSettings
from benchmarks.simulation.engine.run import Run
from benchmarks.simulation.engine.uncontended import one_at_a_time
from benchmarks.what_if.config import WhatIfConfig
from benchmarks.what_if.placed import PlacedTraffic
from benchmarks.what_if.stretches import Stretches
from benchmarks.what_if.windows import Window
from serving.work.step_cost import StepCost

LOG, LOAD = "log", "load"
ALONE_REQUESTS = 50
"""Of the busiest stretch, which are also sent one at a time, so that nothing contends."""

Simulate = Callable[[Sequence[Run]], list[pd.DataFrame]]
"""One table of answers a run (`benchmarks/answers.py`), in the order of the runs."""


def answers_of_windows(
    config: WhatIfConfig, cost: StepCost, placed: PlacedTraffic, windows: Sequence[Window], simulate: Simulate
) -> pd.DataFrame:
    """The answers that count, of all windows, at the times of the log."""
    runs = [
        (window, run)
        for window in windows
        for run in runs_of_policies(config, cost, placed.window(window.before, window.after), float("nan"))
    ]
    tables = simulate([run for _, run in runs])
    counted = []
    for (window, _), one in zip(runs, tables, strict=True):
        kept = noted(config.engine, one).iloc[window.places - window.before]
        counted.append(kept.assign(sent_s=kept.sent_s + placed.traffic.arrival_s[window.before], study=LOG))
    return pd.concat(counted, ignore_index=True)


def answers_at_loads(
    config: WhatIfConfig,
    cost: StepCost,
    busiest: PlacedTraffic,
    stretches: Stretches,
    loads: Sequence[float],
    simulate: Simulate,
) -> pd.DataFrame:
    """All answers of the busiest stretch at each load, `ALONE` among them if it is asked for."""
    runs = [
        run
        for load in loads
        for run in runs_of_policies(config, cost, _requests_at(config, cost, busiest, stretches, load), load)
    ]
    return pd.concat([noted(config.engine, one).assign(study=LOAD) for one in simulate(runs)], ignore_index=True)


def at_load_of(busiest: PlacedTraffic, stretches: Stretches, load: float) -> PlacedTraffic:
    """The busiest stretch at another load; at its own it is as it came, and what came all at once comes evenly."""
    if load == stretches.peak_load:
        return busiest
    if stretches.peak_lasts_s > 0:
        return busiest.at(stretches.peak_load / load)
    return busiest.evenly(load / stretches.peak_work_s)


def runs_of_policies(config: WhatIfConfig, cost: StepCost, placed: PlacedTraffic, load: float) -> list[Run]:
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


def _requests_at(
    config: WhatIfConfig, cost: StepCost, busiest: PlacedTraffic, stretches: Stretches, load: float
) -> PlacedTraffic:
    if load != ALONE:
        return at_load_of(busiest, stretches, load)
    few = busiest.window(0, ALONE_REQUESTS)
    return replace(few, traffic=one_at_a_time(few.traffic, config.engine, cost))


def noted(engine: EngineSettings, answers: pd.DataFrame) -> pd.DataFrame:
    """With whether each request found the engine full: as many others as it works on, or no room in its KV cache."""
    sent_s, ended_s = answers.sent_s.to_numpy(), (answers.sent_s + answers.e2e_s).to_numpy()
    tokens = (answers.prompt_tokens + answers.output_tokens).to_numpy()
    gone = np.searchsorted(np.sort(ended_s), sent_s, side="right")
    ended_tokens = np.concatenate([[0], np.cumsum(tokens[np.argsort(ended_s, kind="stable")])])
    others = np.arange(len(answers)) - gone
    is_full = others >= engine.max_num_seqs
    if engine.kv_cache_tokens:
        is_full |= np.cumsum(tokens) - ended_tokens[gone] > engine.kv_cache_tokens
    return answers.assign(waited=is_full)
