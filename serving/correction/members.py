"""Whose answers are kept apart: tenants, each with its templates, in bounded memory.

Newcomers make room for each other and never for tenants that have been answered for some time, and a tenant's own
templates only for its own: whoever makes up names forgets nothing but what he made up.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from math import inf
from typing import TypeVar

from serving.correction.censored_mean import FadingSum
from serving.origin import Origin

Key = TypeVar("Key")
Value = TypeVar("Value")

Running = Callable[[], float]
"""What is known of an answer that runs: its log ratio is above this."""
MOST_TENANTS = 500
"""Of newcomers, and of established ones; the least recently used is forgotten."""
MOST_TEMPLATES = 50
"""Of one tenant."""
ESTABLISHED_WEIGHT = 20.0
"""Answers after which a tenant is no newcomer."""


@dataclass
class Member:
    """Answers that are alike, a template's or a tenant's: what is over, what runs, and what follows from both."""

    seen: FadingSum = field(default_factory=FadingSum)
    running: dict[int, Running] = field(default_factory=dict)
    """By their numbers, which rise in the order of their beginning."""
    newest_over: int = 0
    """The highest number of one that is over: what began long before it counts for less, whenever it is over."""
    num_begun: int = 0
    log_factor: float = 0.0
    estimated_s: float = -inf
    is_over_since: bool = True
    """Whether one was over since the estimate."""

    @property
    def is_changed(self) -> bool:
        """Whether the estimate is of yesterday: an answer is over, or those that run have become longer."""
        return self.is_over_since or bool(self.running)

    def begin(self, above: Running) -> int:
        """One more runs; returns its number."""
        self.num_begun += 1
        self.running[self.num_begun] = above
        return self.num_begun

    def end(self, number: int, keep: float) -> float:
        """One is over; returns what it counts for. Fading goes by beginnings, since short ones end first."""
        self.running.pop(number, None)
        self.is_over_since = True
        if number > self.newest_over:
            self.seen.fade(keep ** (number - self.newest_over))
            self.newest_over = number
        return keep ** (self.newest_over - number)

    def latest_running(self, most: int, keep: float) -> Iterator[tuple[Running, float]]:
        """Those that began last, each with what it would count for if it were over now."""
        self.is_over_since = False
        for number, above in islice(reversed(self.running.items()), most):
            yield above, keep ** max(self.newest_over - number, 0)


@dataclass
class Tenant:
    """All of a tenant's answers, and its templates."""

    whole: Member = field(default_factory=Member)
    templates: OrderedDict[str, Member] = field(default_factory=OrderedDict)


class Tenants:
    """The tenants of one target LLM."""

    def __init__(self) -> None:
        self._newcomers: OrderedDict[str, Tenant] = OrderedDict()
        self._established: OrderedDict[str, Tenant] = OrderedDict()

    def __len__(self) -> int:
        return len(self._newcomers) + len(self._established)

    @property
    def established(self) -> Iterator[Member]:
        """All answers of each tenant that has been answered for some time, the latest used first."""
        return (tenant.whole for tenant in reversed(self._established.values()))

    def items(self) -> Iterator[tuple[str, Tenant]]:
        """All with their names, the established ones first, the latest last."""
        return chain(self._established.items(), self._newcomers.items())

    def templates(self) -> Iterator[Member]:
        """Those of all tenants."""
        return (one for _, tenant in self.items() for one in tenant.templates.values())

    def find(self, origin: Origin) -> Member | None:
        """What is known of an origin; None if nothing is."""
        tenant = self._tenant(origin.tenant)
        return None if tenant is None else tenant.templates.get(origin.template)

    def made(self, origin: Origin) -> tuple[Tenant, Member]:
        """The tenant and the template, which are made if they are new; the latest used of all."""
        home = self._established if origin.tenant in self._established else self._newcomers
        tenant = _latest(home, origin.tenant, Tenant, MOST_TENANTS)
        return tenant, _latest(tenant.templates, origin.template, Member, MOST_TEMPLATES)

    def establish(self, name: str) -> None:
        """Let a newcomer with enough answers be one no longer."""
        tenant = self._newcomers.get(name)
        if tenant is not None and tenant.whole.seen.weight >= ESTABLISHED_WEIGHT:
            del self._newcomers[name]
            self.put(name, tenant)

    def put(self, name: str, tenant: Tenant) -> None:
        """Take a tenant in, where its answers put it."""
        is_known = tenant.whole.seen.weight >= ESTABLISHED_WEIGHT
        home = self._established if is_known else self._newcomers
        home[name] = tenant
        _shed(home, MOST_TENANTS)

    def _tenant(self, name: str) -> Tenant | None:
        return self._established.get(name) or self._newcomers.get(name)


def _latest(members: OrderedDict[Key, Value], key: Key, make: Callable[[], Value], most: int) -> Value:
    if key not in members:
        members[key] = make()
        _shed(members, most)
    members.move_to_end(key)
    return members[key]


def _shed(members: OrderedDict[Key, Value], most: int) -> None:
    while len(members) > most:
        members.popitem(last=False)
