"""Simulates a fleet under every router and order, and logs the comparison to MLflow."""

import time
from math import inf

import numpy as np
import pandas as pd
from joblib import cpu_count

from benchmarks.failures import SimulationError
from benchmarks.policies.places import at_places, places
from benchmarks.policies.policy_list import Policy
from benchmarks.policies.rivals import Rivals
from benchmarks.simulation.engine.engine_settings import Served
from benchmarks.simulation.engine.order import Order, arrivals_us, sent_request
from benchmarks.simulation.engine.run import answers as answers_of
from benchmarks.simulation.fleet import fleet_report
from benchmarks.simulation.fleet.config import FleetConfig
from benchmarks.simulation.fleet.replicas import Replicas, ReplicaSettings, Routed, start
from benchmarks.simulation.fleet.routers import Router, RouterName, make_router
from benchmarks.simulation.orders import orders_of, parse_policies, rivals_of
from benchmarks.simulation.repeats import loads, repeats
from benchmarks.simulation.simulate import steady_capacity_per_s
from benchmarks.simulation.workload import read_workload
from registry.tracking import log_parameters
from terminal.progress import progress
from traffic.batch import Traffic

CAPACITY_REQUESTS = 4000
"""Requests with which it is found out what one replica gets through."""


def run_fleet(config: FleetConfig) -> str:
    """Simulate, log answers, tables and figures to the active MLflow run, and return them as text.

    Raises:
        SimulationError: nothing can be simulated, or the control gained something.
        InvalidInput, RegistryError: the settings, the log or a ranker cannot be used.
    """
    policies = parse_policies(config)
    traffic = read_workload(config)
    rivals = rivals_of(policies, config, traffic)
    log_parameters(config)
    capacity_per_s = config.capacity_per_s or _capacity_per_s(config, traffic)
    started_s = time.perf_counter()
    answers = simulate_fleet(config, policies, traffic, capacity_per_s, rivals)
    requests_per_s = len(answers) / (time.perf_counter() - started_s)
    fleet = fleet_report.SimulatedFleet(config, answers, capacity_per_s, requests_per_s, rivals.notes)
    text = fleet_report.log(fleet)
    if (reason := fleet_report.leak(answers, config.order_by)) is not None:
        raise SimulationError(f"{text}\n{reason}")
    return text


def simulate_fleet(
    config: FleetConfig,
    policies: tuple[Policy, ...],
    traffic: Traffic,
    capacity_per_s: float,
    rivals: Rivals | None = None,
) -> pd.DataFrame:
    """One row an answer (`benchmarks/answers.py`, `placed_by`, `replica`, `order` and `router`).

    Policies are called `ORDER ROUTER`, but for first come, first served under the first router, which is `fcfs`.
    """
    orders = orders_of({one.kind for one in policies}, config, traffic, rivals)
    settings = ReplicaSettings(
        replicas=config.replicas,
        engine=config.engine,
        cost=config.step_cost,
        backlog_s=config.ranking_backlog_ms / 1000,
        longest_request=int((traffic.prompt_tokens + traffic.output_tokens).max()),
    )
    frames = []
    for load in loads(config):
        for policy in policies:
            for router in config.routers:
                name = "fcfs" if (policy.kind, router) == ("fcfs", config.routers[0]) else f"{policy.name} {router}"
                for repeat in repeats(config, policy, orders, traffic, load, capacity_per_s):
                    chooser = _router(config, router, repeat.order, repeat.traffic)
                    with start(settings, config.processes or cpu_count()) as replicas:
                        one = route(repeat.traffic, repeat.order, chooser, replicas, config.poll_s, name)
                    named = {"policy": name, "order": policy.name, "router": router}
                    frames.append(one.assign(**named, repeat=repeat.number, load=load))
    return pd.concat(frames, ignore_index=True)


def route(
    traffic: Traffic,
    order: Order,
    router: Router,
    replicas: Replicas,
    poll_s: float,
    title: str = "simulate",
) -> pd.DataFrame:
    """Send every request through the router, which learns what was answered at polls only."""
    replica_of = np.empty(len(traffic), dtype=np.int64)
    stamps_us = arrivals_us(traffic.arrival_s)
    served: list[Served] = []
    first = 0
    with progress(title, "requests", len(traffic)) as advance:
        while first < len(traffic):
            until_s = (np.floor(traffic.arrival_s[first] / poll_s) + 1) * poll_s
            last = int(np.searchsorted(traffic.arrival_s, until_s))
            for one in range(first, last):
                replica_of[one] = router.choose(one)
            routed: list[Routed] = [
                (int(replica_of[one]), sent_request(traffic, order, one, int(stamps_us[one])))
                for one in range(first, last)
            ]
            answered = replicas.run(routed, until_s)
            router.observe(one.number for one in answered)
            served += answered
            advance(last - first)
            first = last
        served += replicas.run([], inf)
    return answers_of(traffic, served).assign(replica=replica_of)


def _router(config: FleetConfig, name: RouterName, order: Order, traffic: Traffic) -> Router:
    """Predicted tokens of an answer: the length that as large a share of all answers stays below as its place says.

    That is so also where the place is by work, which is as long as its prompt and its answer together. First come,
    first served has no prediction; an answer is then as long among all as its prompt is among prompts.
    """
    known = places(traffic.prompt_tokens) if order.best is None else order.best
    predicted = at_places(known, traffic.output_tokens)
    return make_router(name, config.replicas, config.groups, places(traffic.prompt_tokens + predicted), predicted)


def _capacity_per_s(config: FleetConfig, traffic: Traffic) -> float:
    """Of all replicas: as many times what one of them gets through."""
    if not config.loads:
        return 0.0
    one = traffic.window(0, CAPACITY_REQUESTS)
    return config.replicas * steady_capacity_per_s(config, one)
