"""How often a policy is run: the same requests again, in another order of sending. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.policies.policy_list import Policy
from benchmarks.simulation.config import SimulationConfig
from benchmarks.simulation.intake import Order, Seconds
from benchmarks.simulation.orders import order_of
from benchmarks.simulation.workload import arrival_process
from traffic.batch import Traffic


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """What is sent, and how the queue is ordered."""

    number: int
    traffic: Traffic
    order: Order


def repeats(
    config: SimulationConfig,
    policy: Policy,
    quantiles: Mapping[str, Seconds | None],
    traffic: Traffic,
    rate_per_s: float,
) -> Iterator[Repeat]:
    """Every second one sends the requests of the one before in the opposite order, at the same times.

    Recorded traffic with its own lengths has one order, and is sent once.
    """
    process = arrival_process(config, traffic, rate_per_s)
    for number in range(1 if config.keeps_rows_together else config.repeats):
        seed, is_reversed = config.seed + number // 2, number % 2 == 1
        sent = np.arange(len(traffic))
        if not config.keeps_rows_together:
            sent = np.random.default_rng(seed).permutation(len(traffic))[:: -1 if is_reversed else 1]
        yield Repeat(
            number=number,
            traffic=traffic.take(sent).sent_at(process.send_times_s(len(traffic), seed)),
            order=order_of(policy, quantiles, sent, is_reversed),
        )
