"""`loop/gate/checks/tenant_checks.py`: of many tenants one that loses is found, and chance finds none."""

from dataclasses import replace

import numpy as np

from loop.fresh.fresh_requests import FreshRequests
from loop.gate.checks.tenant_checks import tenant_checks
from tests.loop.gate.tries import CONFIG, noisy_pair

TENANTS, REQUESTS, TRIES = 8, 800, 20


def of_tenants(requests: FreshRequests) -> FreshRequests:
    """Each tenant has some sessions of five requests."""
    sessions = np.arange(len(requests)) // 5
    return replace(
        requests, groups=[str(one) for one in sessions], tenants=[f"tenant {one % TENANTS}" for one in sessions]
    )


def test_an_equally_good_challenger_wrongs_nobody() -> None:
    passed = 0
    for seed in range(TRIES):
        requests, one, other = noisy_pair(REQUESTS, seed)
        checked = tenant_checks(CONFIG, of_tenants(requests), one.tokens["encoder"], other.tokens["encoder"])
        passed += all(finding.is_met for finding in checked.findings)
    assert passed >= TRIES - 1


def test_a_tenant_whose_answers_are_all_taken_for_longer_is_found() -> None:
    requests, one, other = noisy_pair(REQUESTS, 0)
    requests, tokens = of_tenants(requests), one.tokens["encoder"].copy()
    tokens[[tenant == "tenant 3" for tenant in requests.tenants]] *= 10
    checked = tenant_checks(CONFIG, requests, tokens, other.tokens["encoder"])
    (among_all,) = (finding for finding in checked.findings if finding.name == "worst_tenant")
    assert not among_all.is_met
    assert "tenant 3" in among_all.says
