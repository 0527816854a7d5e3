"""Processes that are started under a guard end with whoever started them, though they hear no signal."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest

from tests.servers import PROJECT

DEAF = (
    "import signal, subprocess, sys, time, setproctitle;"
    "setproctitle.setproctitle('VLLM::' + 30 * 'x');"
    "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT});"
    "sys.argv[1:] and subprocess.Popen([sys.executable, '-c', sys.argv[1]]);"
    "time.sleep(600)"
)
"""Like the engine: writes its title over its environment, blocks the stop signals, and may have a worker."""

PARENT = textwrap.dedent(
    f"""
    import os, subprocess, sys, time
    from serving.hosts.orphans import no_orphans, stop_with_parent
    if sys.argv[1] == "supervisor":
        subprocess.Popen([sys.executable, "-c", sys.argv[2], "worker"])
        time.sleep(600)
    stop_with_parent()
    with no_orphans():
        subprocess.Popen([sys.executable, "-c", {DEAF!r}, {DEAF!r}])
        time.sleep(600)
    """
)


def eventually(is_so: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@contextmanager
def family(role: str) -> Iterator[psutil.Process]:
    """A process with its guard, and a deaf child with a deaf child of its own; all are killed at the end."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    parent = psutil.Popen([sys.executable, "-c", PARENT, role, PARENT], env=environment)
    descendants: list[psutil.Process] = []
    try:
        eventually(lambda: sum(one.name().startswith("VLLM") for one in parent.children(recursive=True)) == 2)
        descendants = parent.children(recursive=True)
        yield parent
        eventually(lambda: all(is_gone(one) for one in descendants))
    finally:
        for one in (parent, *descendants):
            if one.is_running():
                one.kill()
        parent.wait()


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGABRT, signal.SIGTERM])
@pytest.mark.parametrize("role", ["worker", "supervisor"])
def test_all_descendants_are_gone_soon_after_whatever_ended_their_parent(role: str, kill: signal.Signals) -> None:
    with family(role) as parent:
        parent.send_signal(kill)


def test_guard_of_a_block_that_ends_leaves_all_alone() -> None:
    script = (
        "import os, signal; os.setpgid(0, 0)\nfrom serving.hosts.orphans import no_orphans\nwith no_orphans(): pass"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, check=False)
    assert ended.returncode == 0
