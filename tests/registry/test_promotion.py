"""Findings and what is decided by them."""

import pytest

from registry.promotion import Difference, Finding, at_most, decide, fact, not_clearly_worse, not_worse

GOOD, BAD = fact("loads", True, "It loads."), fact("loads", False, "It does not load.")


@pytest.mark.parametrize(
    ("low", "high", "is_met", "word"),
    [
        (-0.04, 0.1, True, "is not worse"),
        (-0.041, 0.1, False, "may be worse"),
        (-0.2, -0.05, False, "is worse"),
        (0.01, 0.1, True, "is not worse"),
        (float("nan"), 0.1, False, "may be worse"),
    ],
)
def test_the_proof_that_it_is_not_worse_is_up_to_the_challenger(
    low: float, high: float, is_met: bool, word: str
) -> None:
    found = not_worse("tau", "tau-b", Difference((low + high) / 2, low, high), 0.04)
    assert found.is_met is is_met
    assert word in found.says
    assert found.bound == -0.04


@pytest.mark.parametrize(("high", "is_met"), [(-0.05, True), (-0.051, False), (0.2, True)])
def test_of_few_requests_the_proof_that_it_is_worse_is_needed(high: float, is_met: bool) -> None:
    assert not_clearly_worse("tenant", "There", Difference(-0.3, -0.6, high), 0.05).is_met is is_met


@pytest.mark.parametrize(("measured", "is_met"), [(1.0, True), (1.01, False), (float("nan"), False)])
def test_a_bound_holds_up_to_itself(measured: float, is_met: bool) -> None:
    assert at_most("ms", measured, 1.0, "It is fast.").is_met is is_met


@pytest.mark.parametrize(
    ("findings", "force", "outcome", "is_promoted"),
    [
        ([GOOD], None, "promoted", True),
        ([GOOD, BAD], None, "refused", False),
        ([GOOD, BAD], "a reason", "forced", True),
        ([GOOD], "a reason", "promoted", True),
    ],
)
def test_one_bad_finding_refuses_and_a_reason_overrules(
    findings: list[Finding], force: str | None, outcome: str, is_promoted: bool
) -> None:
    decision = decide(findings, force)
    assert (decision.outcome, decision.is_promoted) == (outcome, is_promoted)
    assert decision.reasons == tuple(one.says for one in findings if not one.is_met)
    assert all(reason in decision.sentence for reason in decision.reasons)
