"""What a replay sends."""

import pytest

from benchmarks.arrivals import ArrivalProcess
from benchmarks.endpoint.plan import plan_requests

PROMPTS = [f"prompt {i}" for i in range(50)]
LENGTHS = list(range(1, 51))


@pytest.mark.parametrize("arrivals", [ArrivalProcess(), ArrivalProcess(kind="poisson", rate_per_s=5.0)])
def test_reversed_plan_mirrors_the_prompts_and_keeps_the_times(arrivals: ArrivalProcess) -> None:
    plan = plan_requests(PROMPTS, LENGTHS, arrivals, seed=3, is_reversed=False)
    mirrored = plan_requests(PROMPTS, LENGTHS, arrivals, seed=3, is_reversed=True)
    assert [one.prompt for one in plan] == [one.prompt for one in reversed(mirrored)]
    assert [one.send_s for one in plan] == [one.send_s for one in mirrored]
    assert sorted((one.prompt, one.output_tokens) for one in plan) == sorted(zip(PROMPTS, LENGTHS, strict=True))
    assert [one.prompt for one in plan] != PROMPTS
    assert all(PROMPTS[one.number] == one.prompt for one in (*plan, *mirrored))
