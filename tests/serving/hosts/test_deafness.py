"""Who is started deaf hears no stop signal, and an engine that cannot start does not wait for its deaf workers."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import psutil

from serving.hosts.deafness import born_deaf, is_told_to_stop

FAILING_ENGINE = (
    "import multiprocessing.resource_tracker, signal, sys, time;"
    "multiprocessing.resource_tracker.ensure_running();"  # vLLM's engine has its parent's, and this start unblocks
    "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT]);"
    "multiprocessing.get_context('spawn').Process(target=time.sleep, args=[600], daemon=True).start();"
    "sys.argv[1:] and sys.stdin.read();"
    "sys.exit(3)"
)
"""Like vLLM's: at its end Python's multiprocessing tells the worker to stop, and waits for it."""


def eventually(is_so: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def test_engine_that_cannot_start_ends_with_its_deaf_workers() -> None:
    with born_deaf():
        engine = subprocess.Popen([sys.executable, "-c", FAILING_ENGINE])
        assert engine.wait(20) == 3


def test_signal_from_outside_ends_nobody_meanwhile() -> None:
    with born_deaf():
        engine = psutil.Popen([sys.executable, "-c", FAILING_ENGINE, "waits"], stdin=subprocess.PIPE)
        eventually(lambda: [one for one in engine.children() if "--multiprocessing-fork" in one.cmdline()])
        (worker,) = [one for one in engine.children() if "--multiprocessing-fork" in one.cmdline()]
        for process in (engine, worker):  # as BentoML's supervisor does
            process.send_signal(signal.SIGTERM)
        assert is_told_to_stop(engine.pid) and is_told_to_stop(worker.pid)
        time.sleep(1.2)  # the look comes every half second
        assert worker.is_running() and engine.is_running()
    worker.kill()
    engine.kill()
    engine.communicate()


def test_afterwards_this_process_hears_again() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    with born_deaf():
        assert {signal.SIGTERM, signal.SIGINT} <= signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before
    assert not is_told_to_stop(os.getpid())
