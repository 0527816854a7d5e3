"""What a replay sends, and when."""

import numpy as np
import pytest

from benchmarks.plan import Arrivals, plan_requests, send_times_s

PROMPTS = [f"prompt {i}" for i in range(50)]
LENGTHS = list(range(1, 51))


def test_burst_sends_all_at_once() -> None:
    assert set(send_times_s(20, "burst", 0.0, seed=0)) == {0.0}


def test_poisson_gaps_have_the_mean_and_spread_of_an_exponential() -> None:
    gaps_s = np.diff(send_times_s(20_000, "poisson", 4.0, seed=0))
    assert gaps_s.mean() == pytest.approx(0.25, rel=0.03)
    assert gaps_s.std() == pytest.approx(0.25, rel=0.03)


@pytest.mark.parametrize("rate_per_s", [0.0, -1.0])
def test_poisson_needs_a_rate(rate_per_s: float) -> None:
    with pytest.raises(ValueError, match="rate above 0"):
        send_times_s(5, "poisson", rate_per_s, seed=0)


def test_unknown_arrivals_list_the_choices() -> None:
    unknown: Arrivals = "gamma"  # type: ignore[assignment]
    with pytest.raises(ValueError, match=r"burst, poisson, but got 'gamma'"):
        send_times_s(5, unknown, 1.0, seed=0)


@pytest.mark.parametrize("arrivals", ["burst", "poisson"])
def test_reversed_plan_mirrors_the_prompts_and_keeps_the_times(arrivals: Arrivals) -> None:
    plan = plan_requests(PROMPTS, LENGTHS, arrivals, 5.0, seed=3, is_reversed=False)
    mirrored = plan_requests(PROMPTS, LENGTHS, arrivals, 5.0, seed=3, is_reversed=True)
    assert [one.prompt for one in plan] == [one.prompt for one in reversed(mirrored)]
    assert [one.send_s for one in plan] == [one.send_s for one in mirrored]
    assert sorted((one.prompt, one.output_tokens) for one in plan) == sorted(zip(PROMPTS, LENGTHS, strict=True))
    assert [one.prompt for one in plan] != PROMPTS
