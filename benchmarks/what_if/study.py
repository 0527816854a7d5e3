"""What is tried, in which order: first the log itself and other loads, then settings where they matter.

Pure but for what `simulate` does: it takes cases, which do not depend on each other, and returns their answers.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from benchmarks.places import Values, noisy_quantiles
from benchmarks.report.comparison import MATTERS_FROM
from benchmarks.report.summary import summarise
from benchmarks.what_if.config import NUM_POLICIES, WhatIfConfig
from traffic.served_log import Traffic

LOG = "log"
FEWEST_REQUESTS = 100
"""However long answers are: fewer make no queue."""


@dataclass(frozen=True)
class Case:
    """One simulation."""

    study: str
    """`log`, `load`, `tau`, `patience_s` or `max_num_seqs`: what is varied."""
    value: float
    """Its value."""
    policy: str
    load: float
    arrival_s: Values
    prompt_tokens: np.ndarray
    output_tokens: np.ndarray
    quantiles: Values | None
    """Place of each request, 0 to 1; None is first come, first served."""
    patience_s: float
    max_num_seqs: int


Simulate = Callable[[Sequence[Case]], list[pd.DataFrame]]
"""One table of answers a case (`benchmarks/answers.py`), in the order of the cases."""


@dataclass(frozen=True)
class Studied:
    """All that was simulated."""

    answers: pd.DataFrame
    """Of the log itself (without a load: it is longer than what was stretched to the loads) and of every load."""
    settings: pd.DataFrame
    """A row a case of the other studies: `study, value, policy, load` and the figures of `results.summarise`."""
    capacity_per_s: float
    log_load: float
    """The log's own load; NaN where all its requests came at once."""
    sweep_load: float
    """The load at which settings were tried."""
    sweep_requests: int
    """With how many requests."""


@dataclass(frozen=True)
class Orders:
    """The log, and the place that the control, PARS and the oracle give to each of its requests."""

    log: Traffic
    control: Values
    pars: Values
    oracle: Values

    def window(self, start: int, stop: int) -> "Orders":
        """Some consecutive requests; their places are those that they have among all."""
        part = slice(start, stop)
        return Orders(self.log.window(start, stop), self.control[part], self.pars[part], self.oracle[part])


def study(config: WhatIfConfig, orders: Orders, simulate: Simulate) -> Studied:
    """Simulate the log, other loads and other settings."""
    busiest = orders.window(*busiest_window(orders.log.arrival_s, affordable_window(config, orders.log)))
    capacity_per_s = _capacity_per_s(config, busiest, simulate)
    log_load, window_load = (one.log.rate_per_s / capacity_per_s for one in (orders, busiest))
    log_load, window_load = _rounded(log_load), _rounded(window_load)
    own = set() if np.isnan(window_load) else {window_load}
    cases = _policies(config, orders, LOG, float("nan"))
    for load in sorted({*config.loads, *own}):
        cases += _policies(config, _at(busiest, load * capacity_per_s), "load", load)
    answers = pd.concat(
        [
            one.assign(policy=case.policy, load=case.load, study=case.study)
            for case, one in zip(cases, simulate(cases), strict=True)
        ],
        ignore_index=True,
    )
    sweep_load = load_that_matters(answers[answers.study == "load"], window_load)
    settings = list(_settings(config, _at(busiest, sweep_load * capacity_per_s), sweep_load))
    rows = [_row(case, one) for case, one in zip(settings, simulate(settings), strict=True)]
    return Studied(answers, pd.DataFrame(rows), capacity_per_s, log_load, sweep_load, len(busiest.log))


def affordable_window(config: WhatIfConfig, log: Traffic) -> int:
    """Requests with which settings are tried: as many as half of the simulated tokens allow."""
    tokens = config.max_simulated_tokens / 2 / config.sweep_cases
    return int(np.clip(tokens / log.output_tokens.mean(), FEWEST_REQUESTS, config.sweep_requests))


def affordable_requests(config: WhatIfConfig, log: Traffic) -> int:
    """Requests of the log that are simulated as they are: the first ones, as many as the other half allows."""
    tokens = np.cumsum(log.output_tokens) * NUM_POLICIES
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


def _capacity_per_s(config: WhatIfConfig, orders: Orders, simulate: Simulate) -> float:
    burst = replace(_case(config, orders, LOG, 0.0, "fcfs", None), arrival_s=np.zeros(len(orders.log)))
    (answers,) = simulate([burst])
    return len(answers) / float((answers.sent_s + answers.e2e_s).max())


def _at(orders: Orders, rate_per_s: float) -> Orders:
    """The same requests, stretched or squeezed to a rate; what came all at once has no gaps to stretch."""
    log = orders.log
    if not np.isfinite(log.rate_per_s):
        spaced_s = np.arange(len(log)) / rate_per_s
        return replace(orders, log=replace(log, arrival_s=spaced_s))
    return replace(orders, log=replace(log, arrival_s=log.arrival_s * (log.rate_per_s / rate_per_s)))


def _case(config: WhatIfConfig, orders: Orders, name: str, value: float, policy: str, quantiles: Values | None) -> Case:
    log = orders.log
    return Case(
        study=name,
        value=value,
        policy=policy,
        load=value,
        arrival_s=log.arrival_s,
        prompt_tokens=log.prompt_tokens,
        output_tokens=log.output_tokens,
        quantiles=quantiles,
        patience_s=config.patience_s,
        max_num_seqs=config.max_num_seqs,
    )


def _policies(config: WhatIfConfig, orders: Orders, name: str, load: float) -> list[Case]:
    places = {"fcfs": None, "control": orders.control, "pars": orders.pars, "oracle": orders.oracle}
    return [_case(config, orders, name, load, policy, quantiles) for policy, quantiles in places.items()]


def _settings(config: WhatIfConfig, orders: Orders, load: float) -> Iterable[Case]:
    fcfs = replace(_case(config, orders, "tau", float("nan"), "fcfs", None), load=load)
    pars = replace(fcfs, policy="pars", quantiles=orders.pars)
    yield fcfs
    for tau in config.tried_taus:
        yield replace(pars, value=tau, quantiles=noisy_quantiles(orders.log.output_tokens, tau, config.seed))
    for patience_s in sorted({*config.patiences_s, config.patience_s}):
        yield replace(pars, study="patience_s", value=patience_s, patience_s=patience_s)
    for factor in sorted({*config.seqs_factors, 1.0}):
        seqs = max(1, round(factor * config.max_num_seqs))
        for one in (fcfs, pars):
            yield replace(one, study="max_num_seqs", value=float(seqs), max_num_seqs=seqs)


def _row(case: Case, answers: pd.DataFrame) -> dict[str, object]:
    figures = summarise(answers.assign(policy=case.policy)).loc[case.policy]
    row: dict[str, object] = {"study": case.study, "value": case.value, "policy": case.policy, "load": case.load}
    return row | {str(name): value for name, value in figures.items()}
