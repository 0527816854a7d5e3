"""Whether a control that must gain nothing gained something."""

import pandas as pd
import pytest

from benchmarks.report.leak import doubts, leak
from tests.benchmarks.queueing import queued


def leaking(requests: int, repeats: int) -> pd.DataFrame:
    """Answers whose control knows what the oracle knows."""
    answers = queued((1.5,), requests, repeats)
    known = answers[answers.policy == "oracle"].assign(policy="control")
    return pd.concat([answers[answers.policy != "control"], known])


@pytest.mark.parametrize("repeats", [1, 2])
def test_control_that_knows_the_truth_is_a_leak(repeats: int) -> None:
    assert "the truth leaks into the order" in (leak(leaking(300, repeats)) or "")


def test_control_that_knows_nothing_is_none() -> None:
    assert leak(queued((0.2, 1.5), requests=4000)) is None


def test_luck_among_few_requests_is_no_leak_unless_a_mirrored_run_has_it_too() -> None:
    answers = queued((1.5,), requests=80, repeats=1)
    assert leak(answers) is None
    assert "does not rule out a gain beyond 0.9 to 1.1" in doubts(answers)[0]
    assert leak(pd.concat([answers, answers.assign(repeat=1)])) is not None


def test_pairs_that_few_short_answers_carry_are_no_leak_but_a_doubt() -> None:
    answers = queued((1.5,), requests=80, repeats=4)
    both = answers[answers.policy.isin(["fcfs", "control"])]
    means = (both.e2e_s / both.output_tokens).groupby(both.policy).mean()
    assert means["fcfs"] / means["control"] < 0.9
    assert leak(answers) is None
    assert "does not rule out a gain beyond 0.9 to 1.1" in doubts(answers)[0]


@pytest.mark.parametrize(("e2e_s", "is_leak"), [(20.0, False), (18.5, False), (17.0, True), (23.0, True)])
def test_control_that_gains_or_loses_more_than_a_tenth_is_a_leak(e2e_s: float, is_leak: bool) -> None:
    fcfs = queued(requests=50, policies=("fcfs",)).assign(e2e_s=20.0)
    answers = pd.concat([fcfs, fcfs.assign(policy="control", e2e_s=e2e_s)])
    assert (leak(answers) is not None) is is_leak


def test_control_is_held_against_what_knows_as_much() -> None:
    """Where queues go by work a control knows the sizes of prompts, and honestly gains what they tell."""
    answers = queued((1.5,))
    by_prompts = answers[answers.policy == "oracle"]
    knowing = pd.concat(
        [answers[answers.policy == "fcfs"], *(by_prompts.assign(policy=one) for one in ("dealt_work", "control"))]
    )
    assert leak(knowing) is not None
    assert leak(knowing, "dealt_work") is None
    assert doubts(knowing, "dealt_work") == []
    cheating = knowing.assign(policy=knowing.policy.replace({"dealt_work": "oracle", "fcfs": "dealt_work"}))
    assert "must lie within" in (leak(cheating, "dealt_work") or "")


@pytest.mark.parametrize("missing", ["fcfs", "control"])
def test_answers_without_a_control_or_its_baseline_have_no_verdict(missing: str) -> None:
    answers = leaking(60, 1)
    assert leak(answers[answers.policy != missing]) is None
    assert doubts(answers[answers.policy != missing]) == []
