"""A served day through vLLM's scheduler: in the order that it was served, first come first served, and by the truth."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.capacity import steady_requests_per_s
from benchmarks.policies.places import places
from benchmarks.policies.work import work_places
from benchmarks.simulation.engine.order import Order
from benchmarks.what_if.config import WhatIfConfig
from benchmarks.what_if.placed import PlacedTraffic
from benchmarks.what_if.placed_runs import Simulate, answers_of_windows
from benchmarks.what_if.stretches import Stretches, capacity_run, choose, price_of
from loop.yesterday.served_day import ServedDay
from registry.errors import InvalidInput
from serving.work.step_cost import StepCost
from traffic.batch import Traffic

FCFS, SERVED, PARS = "fcfs", "served", "pars"
"""Simulated first come, first served; as the journal measured it; and the same order simulated."""
ONLY_SIMULATED = ["preemptions", "recomputed_tokens", "placed_by"]


@dataclass(frozen=True)
class SimulatedDay:
    """Answers to the same requests, simulated and measured."""

    answers: pd.DataFrame
    """Of the requests that count (`benchmarks/answers.py`): fcfs, served, pars, oracle and by work oracle_work."""
    traffic: Traffic
    """Of the engine, without what does not fit it."""
    stretches: Stretches
    """Which of it was simulated."""


def simulate_day(config: WhatIfConfig, cost: StepCost, day: ServedDay, simulate: Simulate) -> SimulatedDay:
    """Simulate the day whole, or windows that stand for it, and put beside it what was measured.

    Raises:
        InvalidInput: nothing fits the engine, or fewer than two of the requests simulated count.
    """
    fitting = day.traffic.that_fit(config.engine.longest_request)
    (burst,) = simulate([capacity_run(config, cost, fitting)])
    stretches = choose(config, cost, fitting, steady_requests_per_s(burst))
    placed = PlacedTraffic(fitting, _orders(config, cost, day, fitting))
    simulated = answers_of_windows(config, cost, placed, stretches.windows, simulate)
    counted = simulated[day.is_counted[simulated.request.to_numpy()]]
    if counted.request.nunique() < 2:
        raise InvalidInput(
            f"at least two of the requests simulated must count, but {counted.request.nunique()} do; give a larger"
            " max_requests."
        )
    return SimulatedDay(_with_measured(counted, day), fitting, stretches)


def _orders(config: WhatIfConfig, cost: StepCost, day: ServedDay, traffic: Traffic) -> dict[str, Order]:
    """By policy; each place that a ranker found takes the time of its instant tier."""
    sizes = (traffic.prompt_tokens, traffic.output_tokens)
    orders = {FCFS: Order(), PARS: Order(instant=day.quantile[traffic.request_numbers])}
    orders["oracle"] = Order(quantiles=places(traffic.output_tokens))
    if config.is_by_work:
        orders["oracle_work"] = Order(quantiles=work_places(price_of(config, cost), *sizes))
    return orders


def _with_measured(simulated: pd.DataFrame, day: ServedDay) -> pd.DataFrame:
    """The measured times of the same requests beside the simulated ones, after first come, first served."""
    is_fcfs = simulated.policy == FCFS
    requests = simulated[is_fcfs].request.to_numpy()
    measured = simulated[is_fcfs].assign(
        policy=SERVED, ttft_s=np.minimum(day.ttft_s, day.e2e_s)[requests], e2e_s=day.e2e_s[requests]
    )
    measured = measured.drop(columns=ONLY_SIMULATED, errors="ignore")
    return pd.concat([simulated[is_fcfs], measured, simulated[~is_fcfs]], ignore_index=True)
