"""Whether a tenant is worse off with a challenger that is as good on average. Pure.

Two figures: tau-b among the tenant's own requests, and how its requests stand among all others. A tenant whose answers
are all taken for longer than they are keeps its own order, and yet waits behind everybody.
"""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from charts.chart import Bar, BarChart
from loop.fresh.fresh_requests import FreshRequests, Values
from loop.fresh.pair_sums import PairSums
from loop.gate.checks.checked import Checked
from loop.gate.checks.differences import tau_difference
from loop.gate.config import GateConfig
from loop.gate.judged.judged_requests import can_be_ordered
from registry.promotion import Difference, Finding, not_clearly_worse

SHOWN_LETTERS = 12
"""Of a tenant's name; a journal's is a long digest."""
MOST_SHOWN = 20
CHART = "gate/tau_by_tenant.svg"


def tenant_checks(config: GateConfig, requests: FreshRequests, challenger: Values, champion: Values) -> Checked:
    """By the encoders' predictions, of all tenants with enough requests."""
    counts = Counter(one for one in requests.tenants if one is not None)
    tenants = [name for name, count in counts.most_common() if count >= config.least_tenant_requests]
    if not tenants:
        return Checked(notes=(_nobody(config, counts),))
    level = 1 - 2 * (1 - config.confidence) / (2 * len(tenants))  # Bonferroni: two figures a tenant
    pairs = PairSums.of(challenger, champion, requests, config.seed)
    among_all, own = {}, {}
    for name in tenants:
        is_its = np.array([one == name for one in requests.tenants])
        among_all[name] = _in_tau(pairs.difference(is_its, level))
        if can_be_ordered(its := requests.take(is_its)):
            own[name] = tau_difference(challenger[is_its], champion[is_its], its, level, config.seed)
    worst = [_worst(config, "worst_tenant", "among all requests those of", among_all)]
    worst += [_worst(config, "worst_tenant_kendall_tau_b", "in tau-b those of", own)] if own else []
    return Checked(findings=tuple(worst), charts={CHART: _chart(own or among_all, counts)})


def _in_tau(difference: Difference) -> Difference:
    """A share of pairs in the right order, as pairs in the right order less those in the wrong one ÷ all."""
    return Difference(*(2 * one for one in difference))


def _worst(config: GateConfig, name: str, what: str, by_tenant: Mapping[str, Difference]) -> Finding:
    """The one that is surely the worst off."""
    tenant, difference = min(by_tenant.items(), key=lambda one: one[1].high)
    where = f"Of {len(by_tenant)} tenants the worst off, {what} {_shown(tenant)}: there"
    return not_clearly_worse(name, where, difference, config.tenant_margin)


def _nobody(config: GateConfig, counts: Mapping[str, int]) -> str:
    if not counts:
        return "No tenant was looked at alone: the requests do not say whose they are."
    return f"No tenant was looked at alone: none of {len(counts)} has {config.least_tenant_requests} requests."


def _shown(tenant: str) -> str:
    return tenant if len(tenant) <= SHOWN_LETTERS else f"{tenant[:SHOWN_LETTERS]}…"


def _chart(by_tenant: Mapping[str, Difference], counts: Mapping[str, int]) -> BarChart:
    """The worst off first."""
    worst = sorted(by_tenant.items(), key=lambda one: one[1].value)[:MOST_SHOWN]
    return difference_chart(
        "Does any tenant lose?", {f"{_shown(name)} ({counts[name]:,} requests)": one for name, one in worst}
    )


def difference_chart(title: str, differences: Mapping[str, Difference]) -> BarChart:
    """Bars with their one-sided bounds: what is right of 0 is better with the challenger."""
    bars = tuple(Bar(name, one.value, f"{one.value:+.3f}", 1, one.low, one.high) for name, one in differences.items())
    lowest = min(differences.items(), key=lambda one: one[1].value)
    says = f"Tau-b of the challenger less that of the champion; the lowest of {len(bars)} is {lowest[1].words}."
    return BarChart(title=title, value_label="tau-b, challenger less champion", bars=bars, says=says, mark=0.0)
