"""How often a policy is run: the same requests again, in another order of sending. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.answers import ALONE
from benchmarks.policies.policy_list import Policy
from benchmarks.simulation.config import SimulationConfig
from benchmarks.simulation.engine.order import Order
from benchmarks.simulation.engine.uncontended import one_at_a_time
from benchmarks.simulation.orders import order_of
from benchmarks.simulation.workload import arrival_process
from traffic.batch import Traffic


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """What is sent, and how the queue is ordered."""

    number: int
    traffic: Traffic
    order: Order


def loads(config: SimulationConfig) -> tuple[float, ...]:
    """At which loads a simulation runs: those of its settings or a burst (NaN), and one request at a time."""
    return (*(config.loads or (np.nan,)), *((ALONE,) if config.low_load_requests else ()))


def repeats(
    config: SimulationConfig,
    policy: Policy,
    orders: Mapping[str, Order],
    traffic: Traffic,
    load: float,
    capacity_per_s: float,
) -> Iterator[Repeat]:
    """Every second one sends the requests of the one before in the opposite order, at the same times.

    Recorded traffic with its own lengths has one order, and is sent once; so are requests one at a time.
    """
    if load == ALONE:
        yield _alone(config, policy, orders, traffic)
        return
    process = arrival_process(config, traffic, 0.0 if np.isnan(load) else load * capacity_per_s)
    for number in range(1 if config.keeps_rows_together else config.repeats):
        seed, is_reversed = config.seed + number // 2, number % 2 == 1
        sent = np.arange(len(traffic))
        if not config.keeps_rows_together:
            sent = np.random.default_rng(seed).permutation(len(traffic))[:: -1 if is_reversed else 1]
        yield Repeat(
            number=number,
            traffic=traffic.take(sent).sent_at(process.send_times_s(len(traffic), seed)),
            order=order_of(policy, orders, sent, is_reversed),
        )


def _alone(config: SimulationConfig, policy: Policy, orders: Mapping[str, Order], traffic: Traffic) -> Repeat:
    few = traffic.window(0, config.low_load_requests)
    return Repeat(
        number=0,
        traffic=one_at_a_time(few, config.engine, config.step_cost),
        order=order_of(policy, orders, np.arange(len(few)), is_reversed=False),
    )
