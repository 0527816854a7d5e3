"""Threads that may hang."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

import pytest

from serving.threads import LEAST_SWEPT, MOST_LEFT_BEHIND, DaemonThreads, TimedCalls

HANGS_AT_EXIT = """
import threading
from serving.threads import DaemonThreads
threads = DaemonThreads(2, "test")
started = threading.Event()
threads.submit(lambda: (started.set(), threading.Event().wait()))
assert started.wait(10)
threads.close()
print("the end")
"""


@pytest.fixture
def threads() -> Iterator[DaemonThreads]:
    threads = DaemonThreads(1, "test")
    yield threads
    threads.close()


@pytest.fixture
def may_go_on() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def hang(threads: DaemonThreads, may_go_on: threading.Event) -> None:
    """Keep a thread busy until it may go on."""
    started = threading.Event()
    threads.submit(lambda: (started.set(), may_go_on.wait(10)))
    assert started.wait(10)


def test_results_and_errors_come_back(threads: DaemonThreads) -> None:
    assert threads.submit(pow, 2, exp=3).result(10) == 8
    assert isinstance(threads.submit(int, "x").exception(10), ValueError)
    assert threads.submit(pow, 2, 4).result(10) == 16


def test_cancelled_job_is_not_done(threads: DaemonThreads, may_go_on: threading.Event) -> None:
    done: list[str] = []
    hang(threads, may_go_on)
    first, second = threads.submit(done.append, "first"), threads.submit(done.append, "second")
    assert first.cancel()
    may_go_on.set()
    second.result(10)
    assert done == ["second"]


def test_close_cancels_what_waits(threads: DaemonThreads, may_go_on: threading.Event) -> None:
    hang(threads, may_go_on)
    waiting = threads.submit(pow, 2, 3)
    threads.close()
    assert waiting.cancelled()


def test_idle_threads_end_when_closed() -> None:
    threads = DaemonThreads(2, "ends")
    threads.close()
    deadline_s = time.monotonic() + 10
    while any(thread.name.startswith("ends-") for thread in threading.enumerate()):
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_hanging_means_that_every_thread_has_been_busy_for_longer_than_the_limit(may_go_on: threading.Event) -> None:
    threads = DaemonThreads(2, "test")
    hang(threads, may_go_on)
    time.sleep(0.05)
    assert not threads.is_hanging(0.04), "the other thread is idle"
    hang(threads, may_go_on)
    assert not threads.is_hanging(5)
    time.sleep(0.05)
    assert threads.is_hanging(0.04)
    may_go_on.set()
    threads.submit(int).result(10)
    threads.close()


def test_more_urgent_calls_come_first_and_equally_urgent_ones_in_their_order(
    threads: DaemonThreads, may_go_on: threading.Event
) -> None:
    done: list[str] = []
    hang(threads, may_go_on)
    asked = [(3, "c"), (1, "a"), (2, "b"), (1, "a too"), (-5, "first")]
    jobs = [threads.submit_urgent(rank, partial(done.append, name)) for rank, name in asked]
    may_go_on.set()
    for job in jobs:
        job.result(10)
    assert done == ["first", "a", "a too", "b", "c"]


def test_what_was_cancelled_does_not_pile_up_behind_what_is_more_urgent(
    threads: DaemonThreads, may_go_on: threading.Event
) -> None:
    hang(threads, may_go_on)
    for rank in range(10 * LEAST_SWEPT):
        threads.submit_urgent(rank, int).cancel()
    assert len(threads._jobs) <= LEAST_SWEPT


def test_thread_that_hangs_for_ever_does_not_keep_the_process_from_stopping() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", HANGS_AT_EXIT], capture_output=True, text=True, timeout=30, check=True
    )
    assert ended.stdout == "the end\n"


async def test_call_within_its_limit_says_what_its_function_says() -> None:
    calls = TimedCalls("test")
    assert await calls.call(10, divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await calls.call(10, divmod, 7, 0)


async def test_calls_that_hang_are_left_behind_up_to_a_number_and_then_none_is_begun(
    may_go_on: threading.Event,
) -> None:
    calls, begun = TimedCalls("test"), []

    def hang() -> None:
        begun.append(None)
        may_go_on.wait(10)

    for _ in range(MOST_LEFT_BEHIND):
        with pytest.raises(TimeoutError, match="no answer after"):
            await calls.call(0.01, hang)
    for _ in range(3):
        with pytest.raises(TimeoutError, match=f"{MOST_LEFT_BEHIND} earlier calls have not come back"):
            await calls.call(0.01, hang)
    assert len(begun) == MOST_LEFT_BEHIND
    may_go_on.set()
    async with asyncio.timeout(10):
        while True:  # those that hung come back, each in its thread
            with suppress(TimeoutError):
                assert await calls.call(10, str, 1) == "1"
                break


async def test_answer_that_came_while_the_event_loop_was_busy_is_heard() -> None:
    async def block() -> None:
        time.sleep(0.2)  # as the start of an engine does, in the event loop

    call = asyncio.create_task(TimedCalls("test").call(0.1, str, 1))
    await asyncio.sleep(0)
    await block()
    assert await call == "1"
