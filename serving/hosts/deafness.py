"""The engine's processes hear neither SIGTERM nor SIGINT, which they inherit as blocked.

A terminal, or BentoML's supervisor, sends these to the engine too, which would abort its requests before they are
drained. The server stops the engine itself, last of all, and vLLM does that with SIGKILL if need be; where the server
is killed, `orphans.py` does.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from pathlib import Path
from threading import Event, Thread

import psutil

STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}
LOOK_EVERY_S = 0.5


@contextmanager
def born_deaf() -> Iterator[None]:
    """Processes that are started meanwhile are deaf for life. The block lasts until they are ready."""
    resource_tracker.ensure_running()  # else it starts with the first of them, and unblocks the signals
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    is_over = Event()
    Thread(target=_end_what_a_failing_engine_stops, args=[is_over], name="deafness", daemon=True).start()
    try:
        yield
    finally:
        is_over.set()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_what_a_failing_engine_stops(is_over: Event) -> None:
    """An engine that cannot start, as with too little memory, stops its workers by SIGTERM and waits for them.

    They don't hear it, so it would wait for ever. Where the engine has the signal too, it came from outside.
    """
    while not is_over.wait(LOOK_EVERY_S):
        for engine in psutil.Process().children():
            for worker in _children(engine):
                if is_told_to_stop(worker.pid) and not is_told_to_stop(engine.pid):
                    with suppress(psutil.NoSuchProcess):
                        worker.kill()


def is_told_to_stop(process: int) -> bool:
    """Whether SIGTERM waits at the door of a process that does not hear it."""
    with suppress(OSError):
        lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
        pending = next(line.split()[1] for line in lines if line.startswith("ShdPnd:"))
        return bool(int(pending, 16) >> (signal.SIGTERM - 1) & 1)
    return False


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.NoSuchProcess:
        return []
