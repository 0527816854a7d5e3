"""The engines of a fleet, spread over processes. They run from poll to poll, so that a router can look in between."""

import multiprocessing
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Protocol, cast

from benchmarks.simulation.engine.engine_settings import EngineSettings, Served, SimulatedRequest
from serving.work.step_cost import StepCost

Routed = tuple[int, SimulatedRequest]
"""Replica, request."""


@dataclass(frozen=True, kw_only=True)
class ReplicaSettings:
    """What all replicas are."""

    replicas: int
    engine: EngineSettings
    cost: StepCost
    longest_request: int


class Replicas(Protocol):
    """All engines of the fleet."""

    def run(self, routed: Sequence[Routed], until_s: float) -> list[Served]:
        """Submit requests, step every engine to a time, and return what was answered."""


class LocalReplicas:
    """Some of the engines, in this process; each is made when its first request comes."""

    def __init__(self, settings: ReplicaSettings) -> None:
        from benchmarks.simulation.engine.scheduler import VirtualEngine

        make = VirtualEngine
        self._engines: defaultdict[int, VirtualEngine] = defaultdict(
            lambda: make(settings.engine, settings.cost, settings.longest_request)
        )

    def run(self, routed: Sequence[Routed], until_s: float) -> list[Served]:
        """See `Replicas.run`."""
        of_replica: dict[int, list[SimulatedRequest]] = defaultdict(list)
        for replica, request in routed:
            of_replica[replica].append(request)
        for replica, requests in of_replica.items():
            self._engines[replica].submit(requests)
        return [one for engine in self._engines.values() for one in engine.run(until_s)]


class RemoteReplicas:
    """Engines in processes, replica r in process r modulo their number."""

    def __init__(self, workers: Sequence["Connection[object, object]"]) -> None:
        self._workers = workers

    def run(self, routed: Sequence[Routed], until_s: float) -> list[Served]:
        """See `Replicas.run`."""
        for place, worker in enumerate(self._workers):
            worker.send(([one for one in routed if one[0] % len(self._workers) == place], until_s))
        served: list[Served] = []
        for worker in self._workers:
            answered = worker.recv()
            assert isinstance(answered, list)
            served += answered
        return served


@contextmanager
def start(settings: ReplicaSettings, processes: int) -> Iterator[Replicas]:
    """Yield the engines; with more than one process each has its share of them."""
    if processes == 1:
        yield LocalReplicas(settings)
        return
    context = multiprocessing.get_context("spawn")  # a fork would inherit the locks of the libraries' threads
    ends = [context.Pipe() for _ in range(processes)]
    workers = [context.Process(target=_work, args=(theirs, settings), daemon=True) for _, theirs in ends]
    for worker in workers:
        worker.start()
    for _, theirs in ends:
        theirs.close()  # so that a worker that dies ends its pipe: an EOFError and not an endless wait
    try:
        yield RemoteReplicas([ours for ours, _ in ends])
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()


def _work(router: "Connection[object, object]", settings: ReplicaSettings) -> None:
    replicas = LocalReplicas(settings)
    while True:
        routed, until_s = cast("tuple[list[Routed], float]", router.recv())
        router.send(replicas.run(routed, until_s))
