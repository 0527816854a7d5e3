"""Where a challenger and the champion differ most: groups of requests, and single ones. Pure.

What is compared is how a request stands among all others: the share of its pairs (of certain order) that are in the
right order, a predicted tie half right. So a ranker that takes all answers of a template for too long is seen there,
which the template's own tau-b would not show. No text is looked at here; groups have names that are handed in.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from loop.fresh.fresh_requests import Flags, FreshRequests, Values
from loop.fresh.pair_sums import PairSums
from registry.order.certain_pairs import certain_pairs
from registry.promotion import Difference

Groups = Mapping[str, Sequence[str | None]]
"""By kind (template, tenant, a feature) the name of each request's group; None for none."""
LEVEL = 0.95
SHOWN_REQUESTS = 20


@dataclass(frozen=True)
class Group:
    """Requests with something in common."""

    kind: str
    name: str
    requests: int
    output_tokens: float
    """Their median."""
    champion: float
    """Share of the pairs with one of them that it orders right, as the next one."""
    challenger: float
    difference: Difference
    """With an interval that allows for how many groups were looked at."""

    @property
    def is_sure(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.difference.low > 0 or self.difference.high < 0

    @property
    def words(self) -> str:
        """For a sentence."""
        low, value, high = (100 * one for one in (self.difference.low, self.difference.value, self.difference.high))
        return (
            f"{self.kind} {self.name} ({self.requests:,} requests): {100 * self.challenger:.1f} % of their pairs in the"
            f" right order instead of {100 * self.champion:.1f} % ({value:+.1f}, {low:+.1f} to {high:+.1f} points)"
        )


@dataclass(frozen=True)
class Request:
    """One on which the two differ."""

    place: int
    """Among the requests."""
    champion: float
    """Share of its pairs in the right order, as the next one."""
    challenger: float


def groups_by_difference(pairs: PairSums, requests: FreshRequests, groups: Groups, least: int) -> list[Group]:
    """All groups with enough requests, those first that surely differ, and of these the largest difference first.

    Args:
        pairs: of the requests, under both rankers.
        requests: what there is.
        groups: which of them belong together.
        least: requests of a group.
    """
    members = [(kind, name, flags) for kind, names in groups.items() for name, flags in _members(names, least)]
    level = 1 - (1 - LEVEL) / max(1, len(members))  # Bonferroni
    found = [_group(kind, name, flags, pairs, requests, level) for kind, name, flags in members]
    return sorted(found, key=lambda one: (not one.is_sure, -abs(one.difference.value)))


def requests_by_difference(challenger: Values, champion: Values, requests: FreshRequests) -> list[Request]:
    """Single ones, the largest difference first, by what both predict."""
    one, other = (_right_shares(scores, requests) for scores in (challenger, champion))
    places = np.argsort(-np.abs(one - other), kind="stable")[:SHOWN_REQUESTS]
    return [Request(place, float(other[place]), float(one[place])) for place in places.tolist()]


def _right_shares(predicted: Values, requests: FreshRequests) -> Values:
    """Of each request the share of its pairs in the right order; a half where it has none."""
    pairs = certain_pairs(predicted, requests.output_tokens, requests.is_censored)
    return np.asarray(np.nan_to_num(pairs.accuracy, nan=0.5))


def _members(names: Sequence[str | None], least: int) -> Iterator[tuple[str, Flags]]:
    """The groups with enough requests, but one that all belong to."""
    column = np.array(["" if one is None else one for one in names])
    for name, count in zip(*(part.tolist() for part in np.unique(column, return_counts=True)), strict=True):
        if name and least <= count < len(column):
            yield name, column == name


def _group(kind: str, name: str, members: Flags, pairs: PairSums, requests: FreshRequests, level: float) -> Group:
    tokens = float(np.median(requests.output_tokens[members]))
    champion, challenger = (pairs.right_share(one, members) for one in (pairs.champion, pairs.challenger))
    difference = pairs.difference(members, level)
    return Group(kind, name, int(members.sum()), tokens, champion, challenger, difference)
