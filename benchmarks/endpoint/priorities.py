"""How a replay orders the waiting queue: the integer priority that the client sends with a request.

The replayed server trusts a client's non-zero priority (lower = sooner) and ranks what comes without one, so
every policy runs on one server in one run.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from benchmarks.endpoint.plan import PlannedRequest
from benchmarks.policies.places import Values, places
from benchmarks.policies.policy_list import Policy
from serving.ranking.priority import priority

Prioritise = Callable[[int, int], int | None]
"""(index of the request, send time in microseconds since the epoch) -> priority, or None to let the server rank."""


def fcfs(_index: int, sent_us: int) -> int:
    """First come, first served."""
    return sent_us


def pars(_index: int, _sent_us: int) -> None:
    """Shortest predicted first: the server's own ranking. Of another endpoint: the order that it keeps."""


def aged(quantiles: Values, patience_s: float) -> Prioritise:
    """Order by places, 0 to 1, as the server orders by its predictions: with the same patience."""
    return lambda index, sent_us: priority(sent_us, patience_s, float(quantiles[index]))


@dataclass(frozen=True)
class ClientOrder:
    """The orders that only the client can bring, because the server does not know them."""

    places: Mapping[str, Values]
    """Of each request by its number, under each ranker or rival, by the policy that it orders; found once, since a
    replay sends the same requests again and again."""

    def with_places(self, places: Mapping[str, Values]) -> Self:
        """The same, and places of more policies."""
        return replace(self, places={**self.places, **places})

    def prioritise(self, policy: Policy, requests: Sequence[PlannedRequest]) -> Prioritise:
        """The priorities of these requests."""
        if policy.kind == "fcfs":
            return fcfs
        return aged(self._quantiles(policy.kind, requests), policy.patience_s)

    def _quantiles(self, kind: str, requests: Sequence[PlannedRequest]) -> Values:
        if kind == "oracle":
            return oracle_quantiles(requests)
        if kind == "prompt_length":
            return places(np.array([len(request.prompt) for request in requests]))
        return np.array([self.places[kind][request.number] for request in requests])


def oracle_quantiles(requests: Sequence[PlannedRequest]) -> Values:
    """Places by the true lengths: the limit for any ranker. Equal lengths share theirs."""
    return places(np.array([request.output_tokens for request in requests]))
