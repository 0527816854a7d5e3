"""How a router chooses the replica of a request, by what a proxy knows: what it sent, and what came back. Pure."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
RouterName = Literal["round_robin", "least_loaded", "length_aware"]

STEP = 0.2
"""How far a boundary moves at a poll: this share of the way to its neighbour where one side has all the load."""


class Router(Protocol):
    """Chooses a replica for each request; what was answered it learns at polls only."""

    def choose(self, request: int) -> int:
        """The replica of a request, which then counts as sent."""

    def observe(self, answered: Iterable[int]) -> None:
        """A poll: these requests were answered since the last one."""


class RoundRobin:
    """One after the other."""

    def __init__(self, replicas: int) -> None:
        self._replicas = replicas
        self._sent = -1

    def choose(self, request: int) -> int:  # noqa: ARG002 # the protocol's
        """The next replica."""
        self._sent += 1
        return self._sent % self._replicas

    def observe(self, answered: Iterable[int]) -> None:
        """Nothing depends on it."""


class LeastLoaded:
    """The replica with the fewest requests that were not answered by the last poll; of equal ones the first."""

    def __init__(self, replicas: int) -> None:
        self._loads = np.zeros(replicas)
        self._replica_of: dict[int, int] = {}

    def choose(self, request: int) -> int:
        """The replica with the fewest outstanding requests."""
        replica = int(self._loads.argmin())
        self._loads[replica] += 1
        self._replica_of[request] = replica
        return replica

    def observe(self, answered: Iterable[int]) -> None:
        """Count out what was answered."""
        for request in answered:
            self._loads[self._replica_of.pop(request)] -= 1


class LengthAware:
    """After L4 (arXiv 2512.19179): groups of replicas by predicted length, boundaries that follow the load.

    A request goes to the group of its place by prompt and predicted answer together, which is what stands in context,
    there to the replica with the fewest outstanding predicted
    tokens. At each poll a boundary between two groups moves toward the one with more such tokens a replica. Unlike L4
    no request moves on to another group while it is answered: its KV cache would have to.
    """

    def __init__(self, replicas: int, groups: int, quantiles: Values, predicted_tokens: Values) -> None:
        """Place of each request by its length, and tokens of its answer; groups begin with equal shares of these."""
        self._members = np.array_split(np.arange(replicas), min(groups, replicas))
        self._quantiles, self._tokens = quantiles, predicted_tokens
        self._loads = np.zeros(replicas)
        self._replica_of: dict[int, int] = {}
        self.boundaries = _equal_work(quantiles, predicted_tokens, [len(one) for one in self._members])

    def choose(self, request: int) -> int:
        """The least loaded replica of the request's group."""
        members = self._members[int(np.searchsorted(self.boundaries, self._quantiles[request]))]
        replica = int(members[self._loads[members].argmin()])
        self._loads[replica] += self._tokens[request]
        self._replica_of[request] = replica
        return replica

    def observe(self, answered: Iterable[int]) -> None:
        """Count out what was answered, and move the boundaries."""
        for request in answered:
            self._loads[self._replica_of.pop(request)] -= self._tokens[request]
        loads = [max(0.0, float(self._loads[members].mean())) for members in self._members]
        ends = [0.0, *self.boundaries, 1.0]
        for place, (left, right) in enumerate(pairwise(loads)):
            if left + right > 0:
                pull = (right - left) / (left + right)
                room = ends[place + 2] - ends[place + 1] if pull > 0 else ends[place + 1] - ends[place]
                self.boundaries[place] = ends[place + 1] + STEP * pull * room / 2


def make_router(name: RouterName, replicas: int, groups: int, quantiles: Values, predicted_tokens: Values) -> Router:
    """A router by its name."""
    makers: dict[RouterName, Callable[[], Router]] = {
        "round_robin": lambda: RoundRobin(replicas),
        "least_loaded": lambda: LeastLoaded(replicas),
        "length_aware": lambda: LengthAware(replicas, groups, quantiles, predicted_tokens),
    }
    return makers[name]()


def _equal_work(quantiles: Values, tokens: Values, sizes: list[int]) -> Values:
    """Places at which the predicted tokens of all shorter requests are each group's share."""
    order = np.argsort(quantiles, kind="stable")
    work = np.cumsum(tokens[order]) / tokens.sum()
    shares = np.cumsum(sizes)[:-1] / sum(sizes)
    return np.asarray(quantiles[order][np.searchsorted(work, shares)], dtype=np.float64)
