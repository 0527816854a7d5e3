"""The servers of a fleet, spread over processes. They run from poll to poll, so that a router can look in between."""

import multiprocessing
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Protocol, cast

from benchmarks.simulation.engine.engine_settings import EngineSettings, Served
from benchmarks.simulation.engine.order import SentRequest
from serving.work.step_cost import StepCost

Routed = tuple[int, SentRequest]
"""Replica, request."""


@dataclass(frozen=True, kw_only=True)
class ReplicaSettings:
    """What all replicas are."""

    replicas: int
    engine: EngineSettings
    cost: StepCost
    backlog_s: float
    """How long a request may be held for the encoder."""
    longest_request: int


class Replicas(Protocol):
    """All servers of the fleet."""

    def run(self, routed: Sequence[Routed], until_s: float) -> list[Served]:
        """Send requests, run every server to a time, and return what was answered."""


class LocalReplicas:
    """Some of the servers, in this process; each is made when its first request comes."""

    def __init__(self, settings: ReplicaSettings) -> None:
        from benchmarks.simulation.engine.virtual_server import VirtualServer

        make = VirtualServer
        self._servers: defaultdict[int, VirtualServer] = defaultdict(
            lambda: make(settings.engine, settings.cost, settings.backlog_s, settings.longest_request)
        )

    def run(self, routed: Sequence[Routed], until_s: float) -> list[Served]:
        """See `Replicas.run`."""
        of_replica: dict[int, list[SentRequest]] = defaultdict(list)
        for replica, request in routed:
            of_replica[replica].append(request)
        for replica, requests in of_replica.items():
            self._servers[replica].send(requests)
        return [one for server in self._servers.values() for one in server.run(until_s)]


class RemoteReplicas:
    """Servers in processes, replica r in process r modulo their number."""

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
    """Yield the servers; with more than one process each has its share of them."""
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
