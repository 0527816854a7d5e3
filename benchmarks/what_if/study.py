"""What is tried, in which order: first the log itself and other loads, then settings where they matter.

Pure but for what `simulate` does: it takes runs, which do not depend on each other, and returns their answers.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from benchmarks.policies.places import Values, noisy_quantiles
from benchmarks.report.comparison import MATTERS_FROM
from benchmarks.report.summary import summarise
from benchmarks.simulation.intake import Order
from benchmarks.simulation.run import Run
from benchmarks.simulation.step_cost import StepCost
from benchmarks.what_if.config import NUM_POLICIES, WhatIfConfig
from traffic.served_log import Traffic

LOG = "log"
FEWEST_REQUESTS = 100
"""However long answers are: fewer make no queue."""


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


@dataclass(frozen=True)
class Studied:
    """All that was simulated."""

    answers: pd.DataFrame
    """Of the log itself (without a load: it is longer than what was stretched to the loads) and of every load."""
    settings: pd.DataFrame
    """A row a case of the other studies: `study, value, policy, load` and the figures of `summary.summarise`."""
    capacity_per_s: float
    log_load: float
    """The log's own load; NaN where all its requests came at once."""
    sweep_load: float
    """The load at which settings were tried."""
    sweep_requests: int
    """With how many requests."""


@dataclass(frozen=True)
class PlacedTraffic:
    """Requests, and where they stand in the queue."""

    traffic: Traffic
    places: Mapping[str, Values | None]
    """Of each request, 0 to 1, by policy: fcfs, control, pars and oracle. None is first come, first served."""

    def window(self, start: int, stop: int) -> "PlacedTraffic":
        """Some consecutive requests; their places are those that they have among all."""
        places = {policy: None if one is None else one[start:stop] for policy, one in self.places.items()}
        return PlacedTraffic(self.traffic.window(start, stop), places)

    def at(self, rate_per_s: float) -> "PlacedTraffic":
        """The same requests, stretched or squeezed to a rate; what came all at once has no gaps to stretch."""
        own = self.traffic
        times_s = np.arange(len(own)) / rate_per_s
        if np.isfinite(own.rate_per_s):
            times_s = own.arrival_s * (own.rate_per_s / rate_per_s)
        return replace(self, traffic=own.sent_at(times_s))


def study(config: WhatIfConfig, cost: StepCost, placed: PlacedTraffic, simulate: Simulate) -> Studied:
    """Simulate the log, other loads and other settings, on an engine whose steps have this cost."""
    busiest = placed.window(*busiest_window(placed.traffic.arrival_s, affordable_window(config, placed.traffic)))
    capacity_per_s = _capacity_per_s(config, cost, busiest.traffic, simulate)
    log_load, window_load = (_rounded(one.traffic.rate_per_s / capacity_per_s) for one in (placed, busiest))
    own = set() if np.isnan(window_load) else {window_load}
    cases = [Case(LOG, run.load, run) for run in _runs(config, cost, placed, float("nan"))]
    for load in sorted({*config.loads, *own}):
        cases += [Case("load", load, run) for run in _runs(config, cost, busiest.at(load * capacity_per_s), load)]
    tables = simulate([case.run for case in cases])
    answers = pd.concat(
        [one.assign(study=case.study) for case, one in zip(cases, tables, strict=True)], ignore_index=True
    )
    sweep_load = load_that_matters(answers[answers.study == "load"], window_load)
    settings = list(_settings(config, cost, busiest.at(sweep_load * capacity_per_s), sweep_load))
    tables = simulate([case.run for case in settings])
    rows = [_row(case, one) for case, one in zip(settings, tables, strict=True)]
    return Studied(answers, pd.DataFrame(rows), capacity_per_s, log_load, sweep_load, len(busiest.traffic))


def affordable_window(config: WhatIfConfig, traffic: Traffic) -> int:
    """Requests with which settings are tried: as many as half of the simulated tokens allow."""
    tokens = config.max_simulated_tokens / 2 / config.sweep_cases
    return int(np.clip(tokens / traffic.output_tokens.mean(), FEWEST_REQUESTS, config.sweep_requests))


def affordable_requests(config: WhatIfConfig, traffic: Traffic) -> int:
    """Requests of the log that are simulated as they are: the first ones, as many as the other half allows."""
    tokens = np.cumsum(traffic.output_tokens) * NUM_POLICIES
    fitting = int(np.searchsorted(tokens, config.max_simulated_tokens / 2, side="right"))
    return int(np.clip(fitting, FEWEST_REQUESTS, config.max_requests))


def busiest_window(arrival_s: Values, requests: int) -> tuple[int, int]:
    """Start and stop of the consecutive requests that came within the shortest time."""
    if len(arrival_s) <= requests:
        return 0, len(arrival_s)
    start = int(np.argmin(arrival_s[requests - 1 :] - arrival_s[: len(arrival_s) - requests + 1]))
    return start, start + requests


def load_that_matters(answers: pd.DataFrame, own_load: float) -> float:
    """The log's own load if ordering matters there, else the lowest one above at which it does, else the highest."""
    matters = []
    for load, one in answers.groupby("load"):
        s_per_token = summarise(one).s_per_token
        if s_per_token["fcfs"] / s_per_token["pars"] > MATTERS_FROM:
            matters.append(float(load))  # type: ignore[arg-type]
    above = [load for load in matters if not load < own_load]
    return min(above or matters or [float(answers.load.max())])


def _rounded(load: float) -> float:
    """As it is shown; all at once is no rate."""
    return float(f"{load:.3g}") if np.isfinite(load) else float("nan")


def _capacity_per_s(config: WhatIfConfig, cost: StepCost, traffic: Traffic, simulate: Simulate) -> float:
    burst = PlacedTraffic(traffic.sent_at(np.zeros(len(traffic))), {"fcfs": None})
    (answers,) = simulate(_runs(config, cost, burst, float("nan")))
    return len(answers) / float((answers.sent_s + answers.e2e_s).max())


def _runs(config: WhatIfConfig, cost: StepCost, placed: PlacedTraffic, load: float) -> list[Run]:
    """One a policy; only finding the places of PARS takes time."""
    return [
        Run(
            traffic=placed.traffic,
            order=Order(quantiles=places, patience_s=config.patience_s, is_ranked=policy == "pars"),
            engine=config.engine,
            cost=cost,
            policy=policy,
            load=load,
        )
        for policy, places in placed.places.items()
    ]


def _settings(config: WhatIfConfig, cost: StepCost, placed: PlacedTraffic, load: float) -> Iterator[Case]:
    by_policy = {run.policy: run for run in _runs(config, cost, placed, load)}
    fcfs, pars = by_policy["fcfs"], by_policy["pars"]
    yield Case("tau", float("nan"), fcfs)
    for tau in config.tried_taus:
        quantiles = noisy_quantiles(placed.traffic.output_tokens, tau, config.seed)
        yield Case("tau", tau, replace(pars, order=replace(pars.order, quantiles=quantiles)))
    for patience_s in sorted({*config.patiences_s, config.patience_s}):
        yield Case("patience_s", patience_s, replace(pars, order=replace(pars.order, patience_s=patience_s)))
    for factor in sorted({*config.seqs_factors, 1.0}):
        seqs = max(1, round(factor * config.max_num_seqs))
        for one in (fcfs, pars):
            yield Case("max_num_seqs", float(seqs), replace(one, engine=replace(one.engine, max_num_seqs=seqs)))


def _row(case: Case, answers: pd.DataFrame) -> dict[str, object]:
    policy = case.run.policy
    row: dict[str, object] = {"study": case.study, "value": case.value, "policy": policy, "load": case.run.load}
    return row | {str(name): value for name, value in summarise(answers).loc[policy].items()}
