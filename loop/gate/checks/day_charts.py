"""Challenger and champion day by day, where the requests say when they came. Pure."""

from datetime import UTC, datetime

import numpy as np

from loop.fresh.fresh_requests import FreshRequests, Values
from loop.gate.checks.checked import Checked
from loop.gate.checks.differences import tau_difference
from loop.gate.checks.tenant_checks import difference_chart
from loop.gate.config import GateConfig
from loop.gate.judged.judged_requests import can_be_ordered

CHART = "gate/tau_by_day.svg"


def day_chart(config: GateConfig, requests: FreshRequests, challenger: Values, champion: Values) -> Checked:
    """The difference in tau-b of each day that has enough requests; nothing is decided by it."""
    days = np.array([_day(arrival_s) for arrival_s in requests.arrival_s.tolist()])
    found = {}
    for day in sorted({*days.tolist()} - {""}):
        of_day = requests.take(is_its := days == day)
        if len(of_day) >= config.least_tenant_requests and can_be_ordered(of_day):
            of_tiers = challenger[is_its], champion[is_its]
            found[f"{day} ({len(of_day):,} requests)"] = tau_difference(*of_tiers, of_day, config.level, config.seed)
    return Checked(charts={CHART: difference_chart("Is it so every day?", found)} if found else {})


def _day(arrival_s: float) -> str:
    """In UTC; empty of an unknown time."""
    return "" if np.isnan(arrival_s) else f"{datetime.fromtimestamp(arrival_s, UTC):%Y-%m-%d}"
