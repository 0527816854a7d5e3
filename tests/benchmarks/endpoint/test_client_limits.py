"""What the client itself cannot do."""

import resource

import pandas as pd
import pytest

from benchmarks.endpoint.client_limits import OTHER_FILES, allow_connections, describe, late, most_connections
from benchmarks.failures import ReplayError


def answers(sent_s: list[float], e2e_s: list[float], policy: str = "fcfs") -> pd.DataFrame:
    rows = {"sent_s": sent_s, "e2e_s": e2e_s, "lag_s": [0.001 * one for one in range(len(sent_s))]}
    return pd.DataFrame(rows).assign(policy=policy, repeat=0, load=float("nan"))


def test_connections_that_were_open_together_are_counted_run_by_run() -> None:
    overlapping = answers([0.0, 1.0, 2.0], [1.5, 1.5, 1.0])
    one_by_one = answers([0.0, 1.0, 2.0], [1.0, 1.0, 1.0], "pars")
    assert most_connections(one_by_one) == 1
    assert most_connections(pd.concat([overlapping, one_by_one])) == 2


def test_lag_of_the_client_is_said() -> None:
    assert "by 1 ms (median), 2 ms (p99), 2 ms at most" in describe(answers([0.0, 1.0, 2.0], [1.0, 1.0, 1.0]))


@pytest.mark.parametrize(
    ("lag_s", "is_late"), [(0.1, False), (0.101, True), (0.99, True)], ids=["at the limit", "above it", "far above it"]
)
def test_request_is_late_by_more_than_some_milliseconds(lag_s: float, is_late: bool) -> None:
    one = answers([0.0], [1.0]).assign(lag_s=lag_s, e2e_s=1.0)
    assert (late(one, 0.5) is not None) == is_late


def test_lag_that_is_lost_among_the_times_is_none() -> None:
    assert late(answers([0.0], [30.0]).assign(lag_s=2.9), 0.0) is None


def test_client_that_was_late_too_often_under_one_policy_fails() -> None:
    good = answers([0.0] * 200, [1.0] * 200).assign(lag_s=0.0)
    bad = answers([0.0] * 100, [1.0] * 100, "pars").assign(lag_s=[0.5, 0.5, *[0.0] * 98])
    both = pd.concat([good, bad], ignore_index=True)  # 2 of 300, but 2 of 100 under one policy
    assert late(both, 0.02) is None
    reason = late(both, 0.01)
    assert reason is not None
    assert "at most 1.0% of a policy's requests" in reason
    assert "2.0% under pars, up to 0.5 s" in reason
    assert "late_share=SHARE" in reason


def test_files_that_the_system_grants_are_taken() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard <= OTHER_FILES + 300:
        pytest.skip("the system grants no more")
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (OTHER_FILES + 200, hard))
        allow_connections(300)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == OTHER_FILES + 300
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_more_than_the_system_grants_is_an_error() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY:
        pytest.skip("the system grants any number")
    with pytest.raises(ReplayError, match="ulimit"):
        allow_connections(hard)
