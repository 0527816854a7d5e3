"""What is said of the servers that answered."""

import pytest

from benchmarks.endpoint.counters.prefix_cache import PrefixCache
from benchmarks.endpoint.endpoint import Endpoint
from benchmarks.replay import server_notes
from benchmarks.replay.policy_endpoints import PolicyEndpoints


def endpoints(is_ours: bool, *take_salt: bool) -> PolicyEndpoints:
    of = {str(i): Endpoint(f"http://{i}", "llm", takes_cache_salt=takes) for i, takes in enumerate(take_salt)}
    return PolicyEndpoints(of, is_ours, sends_priority=True)


def test_server_of_ours_starts_empty_and_keeps_replays_apart() -> None:
    note = server_notes.caches(endpoints(True, True), PrefixCache(1000, 42))
    assert "started with empty caches" in note
    assert "a prefix cache of its own (cache_salt)" in note
    assert "held 4.2% of their prompt tokens" in note
    assert "cannot be seen" not in note


def test_what_a_running_endpoint_has_kept_cannot_be_seen() -> None:
    assert "cannot be seen from here" in server_notes.caches(endpoints(False, True), None)


@pytest.mark.parametrize("take_salt", [(False,), (True, False)])
def test_one_endpoint_that_may_mix_replays_is_said(take_salt: tuple[bool, ...]) -> None:
    note = server_notes.caches(endpoints(False, *take_salt), None)
    assert "later replays found those of earlier ones" in note
    assert "of its own" not in note
