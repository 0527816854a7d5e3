"""What is said of the servers that answered."""

import numpy as np
import pandas as pd
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


@pytest.mark.parametrize(
    ("served", "words"),
    [
        (
            [3, 8, 20, 32],
            ["100.0% of the answers had their recorded length", "lengths was 1.000", "(0.0% of the answers"],
        ),
        (
            [8, 3, 20, 64],
            ["25.0% of the answers had their recorded length", "lengths was 0.667", "(25.0% of the answers"],
        ),
    ],
)
def test_answers_that_end_by_themselves_are_held_against_the_log(served: list[int], words: list[str]) -> None:
    columns = {"request": [0, 1, 2, 2], "output_tokens": np.array(served), "recorded_tokens": [3, 8, 20, 32]}
    answers = pd.DataFrame(columns)
    note = server_notes.lengths(endpoints(True, True), answers, limit_tokens=64, is_leak_planted=False)
    assert all(
        one in note for one in [*words, "the same 64 tokens", "nothing of the truth can leak", "33.3% of the requests"]
    )


def test_where_lengths_are_imposed_it_is_said_whether_they_could_leak() -> None:
    said = [server_notes.lengths(endpoints(*of), pd.DataFrame(), None, planted) for of, planted in LEAKS]
    assert [note.count("a planted leak") for note in said] == [0, 1, 0]
    assert ["this page flatters it" in note for note in said] == [False, False, True]


LEAKS = [((True, True), False), ((True, True), True), ((False, True), False)]
"""(endpoints, whether a leak is planted)."""
