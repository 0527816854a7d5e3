"""Simulates every policy at every load and logs the comparison to MLflow."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pandas as pd

from benchmarks.capacity import saturating, steady_requests_per_s
from benchmarks.failures import SimulationError
from benchmarks.policies.policy_list import Policy
from benchmarks.policies.rivals import Rivals
from benchmarks.report.leak import baseline_of, leak
from benchmarks.simulation import simulation_report
from benchmarks.simulation.config import SimulationConfig
from benchmarks.simulation.engine.order import Order
from benchmarks.simulation.engine.run import Run, simulate_all, simulate_run
from benchmarks.simulation.orders import orders_of, parse_policies, rivals_of
from benchmarks.simulation.repeats import loads, repeats
from benchmarks.simulation.workload import read_workload
from registry.tracking import log_parameters
from traffic.batch import Traffic


def run_simulation(config: SimulationConfig) -> str:
    """Simulate, log everything to the active MLflow run, and return the report as text.

    Raises:
        SimulationError: nothing can be simulated, or the control gained something.
        InvalidInput, RegistryError: the settings, the log or a ranker cannot be used.
    """
    policies = parse_policies(config)
    traffic = read_workload(config)
    rivals = rivals_of(policies, config, traffic)
    traffic = replace(traffic, notes=(*traffic.notes, *rivals.notes))
    log_parameters(config)
    capacity_per_s = config.capacity_per_s or (steady_capacity_per_s(config, traffic) if config.loads else 0.0)
    answers = simulate(config, policies, traffic, capacity_per_s, rivals)
    text = simulation_report.log(simulation_report.Simulated(config, traffic, answers, capacity_per_s))
    if (reason := leak(answers, baseline_of(config.order_by))) is not None:
        raise SimulationError(f"{text}\n{reason}")
    return text


def simulate(
    config: SimulationConfig,
    policies: tuple[Policy, ...],
    traffic: Traffic,
    capacity_per_s: float,
    rivals: Rivals | None = None,
) -> pd.DataFrame:
    """One row an answer (`benchmarks/answers.py`), sorted by load, then policy; `rivals` are those among them."""
    orders = orders_of({one.kind for one in policies}, config, traffic, rivals)
    runs = [
        run
        for load in loads(config)
        for policy in policies
        for run in _runs(config, policy, orders, traffic, load, capacity_per_s)
    ]
    return pd.concat(simulate_all(runs), ignore_index=True)


def steady_capacity_per_s(config: SimulationConfig, traffic: Traffic) -> float:
    """Requests per second that the engine gets through while more of them wait, first come, first served."""
    burst = saturating(traffic, config.max_num_seqs, config.seed)
    return steady_requests_per_s(
        simulate_run(Run(traffic=burst, order=Order(), engine=config.engine, cost=config.step_cost))
    )


def _runs(
    config: SimulationConfig,
    policy: Policy,
    orders: Mapping[str, Order],
    traffic: Traffic,
    load: float,
    capacity_per_s: float,
) -> Iterator[Run]:
    for repeat in repeats(config, policy, orders, traffic, load, capacity_per_s):
        yield Run(
            traffic=repeat.traffic,
            order=repeat.order,
            engine=config.engine,
            cost=config.step_cost,
            backlog_s=config.ranking_backlog_ms / 1000,
            policy=policy.name,
            repeat=repeat.number,
            load=load,
        )
