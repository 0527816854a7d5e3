"""Simulates a fleet under every router and order, and logs the comparison to MLflow."""

import os
import time
from dataclasses import dataclass
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow
import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmarks import results
from benchmarks.answers import write_answers
from benchmarks.comparison import by_load
from benchmarks.patience import oracle_patience
from benchmarks.simulation.config import SimulationConfig
from benchmarks.simulation.fleet.replicas import Replicas, ReplicaSettings, Routed, start
from benchmarks.simulation.fleet.routers import Router, RouterName, make_router
from benchmarks.simulation.intake import Order, Seconds, Traffic, engine_requests
from benchmarks.simulation.orders import Policy, parse_policies, quantiles_of
from benchmarks.simulation.repeats import repeats
from benchmarks.simulation.requests import Served
from benchmarks.simulation.run import answers as answers_of
from benchmarks.simulation.simulate import burst_capacity_per_s
from benchmarks.simulation.workload import Workload, read_workload
from benchmarks.titles import load_title
from training.parameters import log_parameters

CAPACITY_REQUESTS = 4000
"""Requests of the burst that says what one replica gets through."""


@dataclass(frozen=True, kw_only=True)
class FleetConfig(SimulationConfig):
    """A simulation with several replicas."""

    policies: str = "fcfs,noise"
    """As of a simulation; each is run under each router."""
    replicas: int = 4
    """Engines."""
    routers: tuple[RouterName, ...] = ("round_robin", "least_loaded", "length_aware")
    """Separated by commas. `fcfs` under the first one is what all is compared with."""
    groups: int = 4
    """Groups of replicas by predicted length, of the router length_aware."""
    poll_s: float = 0.5
    """How often a router learns what was answered."""
    processes: int = 0
    """Processes that share the replicas; 0 is one a core."""
    repeats: int = 1
    """Runs of each policy under each router; every second one sends the requests in the opposite order."""

    def __post_init__(self) -> None:
        """Refuse what is no fleet."""
        super().__post_init__()
        for name in ("replicas", "groups"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, but got {getattr(self, name)}.")
        if not self.routers or not self.poll_s > 0 or self.processes < 0:
            raise ValueError(
                "a fleet needs a router, poll_s above 0 and processes of at least 0, but got"
                f" {self.routers}, {self.poll_s} and {self.processes}."
            )


def run_fleet(config: FleetConfig) -> str:
    """Simulate, log answers, tables and figures to the active MLflow run, and return them as text.

    Raises:
        SimulationError, ValueError, TrainingError: nothing can be simulated.
    """
    policies = parse_policies(config)
    workload = read_workload(config)
    log_parameters(config)
    capacity_per_s = config.capacity_per_s or _capacity_per_s(config, workload)
    started_s = time.perf_counter()
    answers = simulate_fleet(config, policies, workload, capacity_per_s)
    requests_per_s = len(answers) / (time.perf_counter() - started_s)
    return _log(config, answers, capacity_per_s, requests_per_s)


def simulate_fleet(
    config: FleetConfig, policies: tuple[Policy, ...], workload: Workload, capacity_per_s: float
) -> pd.DataFrame:
    """One row an answer (`benchmarks/answers.py`, and `replica`); policies are called `ORDER ROUTER`."""
    quantiles = quantiles_of({one.kind for one in policies}, config, workload)
    settings = ReplicaSettings(
        replicas=config.replicas,
        engine=config.engine,
        cost=config.step_cost,
        longest_request=int((workload.prompt_tokens + workload.output_tokens).max()),
    )
    frames = []
    for load in config.loads or (np.nan,):
        rate_per_s = 0.0 if np.isnan(load) else load * capacity_per_s
        for policy in policies:
            for router in config.routers:
                name = "fcfs" if (policy.kind, router) == ("fcfs", config.routers[0]) else f"{policy.name} {router}"
                for repeat in repeats(config, policy, quantiles[policy.kind], workload, rate_per_s):
                    chooser = _router(config, router, repeat.order, repeat.traffic)
                    with start(settings, config.processes or os.cpu_count() or 1) as replicas:
                        one = route(repeat.traffic, repeat.order, chooser, replicas, config.poll_s, name)
                    frames.append(one.assign(policy=name, repeat=repeat.number, load=load))
    return pd.concat(frames, ignore_index=True)


def route(
    traffic: Traffic, order: Order, router: Router, replicas: Replicas, poll_s: float, title: str | None = None
) -> pd.DataFrame:
    """Send every request through the router, which learns what was answered at polls only."""
    requests = engine_requests(traffic, order, traffic.sent_s, np.ones(len(traffic), dtype=np.bool_))
    replica_of = np.empty(len(traffic), dtype=np.int64)
    served: list[Served] = []
    first = 0
    with tqdm(total=len(traffic), desc=title, unit="request", mininterval=1, disable=title is None) as progress:
        while first < len(traffic):
            until_s = (np.floor(traffic.sent_s[first] / poll_s) + 1) * poll_s if router.needs_polls else inf
            last = int(np.searchsorted(traffic.sent_s, until_s))
            routed: list[Routed] = [(router.choose(one), requests[one]) for one in range(first, last)]
            replica_of[first:last] = [replica for replica, _ in routed]
            answered = replicas.run(routed, until_s)
            router.observe(one.number for one in answered)
            served += answered
            progress.update(last - first)
            first = last
        served += replicas.run([], inf)
    return answers_of(traffic, served).assign(replica=replica_of)


def _router(config: FleetConfig, name: RouterName, order: Order, traffic: Traffic) -> Router:
    """Predicted tokens of a place: the length that as large a share of all answers stays below.

    First come, first served has no prediction; a router by length then goes by the prompt's.
    """
    lengths: Seconds = np.sort(traffic.output_tokens).astype(np.float64)
    quantiles = order.quantiles
    if quantiles is None:
        ranks = np.argsort(np.argsort(traffic.prompt_tokens, kind="stable"), kind="stable")
        quantiles = (ranks + 0.5) / len(traffic)
    predicted = lengths[np.minimum((quantiles * len(lengths)).astype(np.int64), len(lengths) - 1)]
    return make_router(name, config.replicas, config.groups, quantiles, predicted)


def _capacity_per_s(config: FleetConfig, workload: Workload) -> float:
    """Of all replicas: as many times what one of them gets through."""
    if not config.loads:
        return 0.0
    one = workload.take(np.arange(min(len(workload), CAPACITY_REQUESTS)))
    return config.replicas * burst_capacity_per_s(config, one)


def _log(config: FleetConfig, answers: pd.DataFrame, capacity_per_s: float, requests_per_s: float) -> str:
    lines, metrics = [], {"capacity_per_s": capacity_per_s, "requests_per_s": requests_per_s}
    for load, one in by_load(answers):
        table = results.summarise(one)
        lines += [load_title(load, "as recorded" if config.arrivals == "recorded" else "burst")]
        lines += [results.as_text(table), ""]
        ratios = {str(name).replace(" ", "."): value for name, value in table[results.RATIO].items()}
        metrics |= {f"load_{load:.3g}.{name}.{results.RATIO}": value for name, value in ratios.items()}
    text = "\n".join([*lines, *_provenance(config, answers, capacity_per_s, requests_per_s)])
    with TemporaryDirectory() as folder:
        write_answers(answers, Path(folder))
        (Path(folder) / "report.txt").write_text(text, encoding="utf-8")
        mlflow.log_artifacts(folder)
    mlflow.log_metrics(metrics)
    return text


def _provenance(config: FleetConfig, answers: pd.DataFrame, capacity_per_s: float, requests_per_s: float) -> list[str]:
    source = config.lengths or config.trace
    assert source is not None
    return [
        f"Simulated, nothing was run: {config.requests:,} requests of {source.name} over {config.replicas} replicas,"
        f" each of them vLLM's own scheduler ({config.max_num_seqs} sequences) under a virtual clock; the router is our"
        f" own. Capacity is {capacity_per_s:.4g} requests per second.",
        config.step_cost.sentence + " Neither taking in nor ranking is in a fleet's figures.",
        *oracle_patience(answers, config.patience_s, " unless its name says another (@SECONDS)"),
        f"A router knows what it sent, and every {config.poll_s:g} s what was answered. least_loaded counts outstanding"
        f" requests; length_aware has {min(config.groups, config.replicas)} groups, counts outstanding predicted"
        " tokens, and goes by the prompt's length where the order predicts nothing.",
        f"{len(answers):,} answers, {requests_per_s:,.0f} a second of wall time.",
    ]
