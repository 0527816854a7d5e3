"""No process outlives the one that started it, whatever ends that one: the engine would keep the GPU.

A small process of its own (`python serving/hosts/orphans.py GROUP`: by its path, since a worker may find this package
in its own way) waits at a pipe whose other end closes with its parent, and then kills the parent's process group. The
engine hears no SIGTERM, and what SIGKILL has ended can tell nobody.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

PR_SET_PDEATHSIG = 1
"""Of Linux's prctl(2)."""
STOPPED = b"."
"""Said at the end by whoever has stopped all that it started."""


@contextmanager
def no_orphans() -> Iterator[None]:
    """Whatever is started meanwhile, and by those in turn, ends with this process if the block has not ended before."""
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)  # a group of its own, which its children are born into
    command = [sys.executable, "-P", __file__, str(os.getpid())]
    guard = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield
    finally:
        guard.communicate(STOPPED)


def stop_with_parent() -> None:
    """Let the kernel send SIGTERM to this process when its parent is gone. Linux only; elsewhere nothing is done."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _guard(group: int) -> None:
    if sys.stdin.buffer.read() != STOPPED:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    _guard(int(sys.argv[1]))
