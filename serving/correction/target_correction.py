"""What the answers of one target LLM say of its ranker: a factor for each template of a tenant, and one for all.

A template's mean is shrunk towards the target's. That is the median over tenants with some answers, so that neither the
busiest tenant nor a few decide it; it moves all requests of a target LLM alike, and so hardly their order.
"""

from collections.abc import Callable
from itertools import islice
from math import exp, log
from statistics import median
from typing import NamedTuple

from serving.correction.censored_mean import SPREAD, expected_above, shrunken_mean
from serving.correction.members import Member, Running, Tenants
from serving.origin import Origin

MOST_FACTOR = 3.0
"""A correction multiplies by no more than this, and divides by no more."""
MOST_LOG_RATIO = 2.0
"""One answer counts as no farther from its prediction than e² times, so that none alone moves a mean of many."""
KEEP = 0.5 ** (1 / 15)
"""Of a template's weight, at each of its requests: those of 15 requests ago count for half."""
PRIOR_WEIGHT = 3.0
"""How many answers of its own the target's mean is worth to a template."""
KEEP_OF_TENANT = 0.5 ** (1 / 100)
TENANT_PRIOR_WEIGHT = 10.0
"""How many answers as predicted a tenant's mean begins with."""
STALE_S = 0.25
"""How long an estimate stands: no burst of answers may keep the event loop from its work."""
MOST_TENANTS_LOOKED_AT = 50
"""Of a look at the whole target: those used last; what was found of the others stands."""
MOST_RUNNING = 64
"""Answers that run which an estimate looks at: those that began last. Those of before count for little."""
UNINFORMATIVE = 2.0
"""Spreads below the mean at which an unfinished answer says nothing yet."""


class Run(NamedTuple):
    """An answer that runs, as its tenant and its template number it."""

    origin: Origin
    of_tenant: int
    of_template: int


class TargetCorrection:
    """The factors of one target LLM, for predictions of one ranker. All methods belong to one event loop."""

    def __init__(self, digest: str, clock_s: Callable[[], float]) -> None:
        """`digest` is the ranker's: another one makes other mistakes."""
        self.digest = digest
        self._clock_s = clock_s
        self.tenants = Tenants()
        self.log_factor = 0.0
        """Of the target as a whole, as `look` has found it."""

    def factor(self, origin: Origin) -> float:
        """By what a prediction for such a request is to be multiplied."""
        member = self.tenants.find(origin)
        if member is None:
            return bounded(self.log_factor)
        if member.is_changed and self._clock_s() - member.estimated_s >= STALE_S:
            self._estimate(member, KEEP, self.log_factor, PRIOR_WEIGHT)
        return bounded(member.log_factor)

    def look(self) -> None:
        """Find the factor of the target as a whole. To be called every few seconds."""
        for tenant in islice(self.tenants.established, MOST_TENANTS_LOOKED_AT):
            if tenant.is_changed:
                self._estimate(tenant, KEEP_OF_TENANT, 0.0, TENANT_PRIOR_WEIGHT)
        self.log_factor = median([tenant.log_factor for tenant in self.tenants.established] or [0.0])

    @property
    def share_at_bound(self) -> float:
        """Of its origins: those whose answers are farther from the predictions than a correction goes."""
        limit = log(MOST_FACTOR)
        members = list(self.tenants.templates())
        return sum(abs(one.log_factor) >= limit for one in members) / max(len(members), 1)

    def begin(self, origin: Origin, above: Running) -> Run:
        """An answer of an origin runs; returns what is to be said at its end."""
        tenant, template = self.tenants.made(origin)
        return Run(origin, tenant.whole.begin(above), template.begin(above))

    def end(self, run: Run, log_ratio: float, is_whole: bool) -> None:
        """It is over: its log(true ÷ predicted), or what that is above where it was cut or left."""
        tenant, template = self.tenants.made(run.origin)
        expected = template.log_factor
        of_tenant, of_template = tenant.whole.end(run.of_tenant, KEEP_OF_TENANT), template.end(run.of_template, KEEP)
        log_ratio = clipped(log_ratio)
        if not is_whole:
            if log_ratio <= expected - UNINFORMATIVE * SPREAD:
                return
            log_ratio = expected_above(log_ratio, expected)
        template.seen.add(log_ratio, of_template)
        tenant.whole.seen.add(log_ratio, of_tenant)
        self.tenants.establish(run.origin.tenant)

    def _estimate(self, member: Member, keep: float, prior: float, prior_weight: float) -> None:
        least = member.log_factor - UNINFORMATIVE * SPREAD
        running = [(clipped(above()), weight) for above, weight in member.latest_running(MOST_RUNNING, keep)]
        informative = [one for one in running if one[0] > least]
        bounds, weights = [bound for bound, _ in informative], [weight for _, weight in informative]
        member.log_factor = shrunken_mean(member.seen, bounds, weights, prior, prior_weight)
        member.estimated_s = self._clock_s()


def clipped(log_ratio: float) -> float:
    """What an answer counts as."""
    return min(max(log_ratio, -MOST_LOG_RATIO), MOST_LOG_RATIO)


def bounded(log_factor: float) -> float:
    """The factor, within its bounds."""
    return min(max(exp(log_factor), 1 / MOST_FACTOR), MOST_FACTOR)
