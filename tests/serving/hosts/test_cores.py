"""On the CPU the engine stands back from the process that takes requests in and ranks them."""

import os

import pytest

from serving.hosts.cores import stay_within_quota
from tests.servers import RunningServer
from tests.serving.engine_threads import assert_engine_stands_back


def test_the_engine_stands_back_from_the_service(engine: RunningServer) -> None:
    assert_engine_stands_back(engine)


@pytest.mark.parametrize(("below", "threads"), [(0, None), (1, 1)])
def test_limit_of_time_below_the_affinity_limits_vllms_threads(below: int, threads: int | None) -> None:
    environment: dict[str, str] = {}
    stay_within_quota(environment, len(os.sched_getaffinity(0)) - below)
    expected = {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": str(threads)} if threads else {}
    assert environment == expected


def test_limit_changes_nothing_that_the_operator_has_set() -> None:
    theirs = {"VLLM_CPU_OMP_THREADS_BIND": "0-3", "OMP_NUM_THREADS": "4"}
    environment = dict(theirs)
    stay_within_quota(environment, 0)
    assert environment == theirs
