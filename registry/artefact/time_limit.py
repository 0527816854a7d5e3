"""A time limit for runs of a network that nothing else can interrupt: ONNX Runtime is told to give up."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread

from onnxruntime import RunOptions

LOOK_EVERY_S = 0.05
"""How late a run may be ended. It ends between two nodes of the graph, or two rounds of a loop inside."""


class TimeLimit:
    """Ends runs that take longer than `limit_s`. All methods may be called from any thread."""

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self._started_s: dict[RunOptions, float] = {}
        self._is_running = Event()
        self._thread: Thread | None = None
        self._starting = Lock()

    @contextmanager
    def watching(self) -> Iterator[RunOptions]:
        """Options for the one run of the block.

        Raises:
            TimeoutError: it was ended; else what the run raises.
        """
        self._watch()
        options = RunOptions()
        self._started_s[options] = time.monotonic()
        self._is_running.set()
        try:
            yield options
        except Exception:
            if options.terminate:
                raise TimeoutError(f"a run may take {self.limit_s:g} s, but this one has not ended by then.") from None
            raise
        finally:
            del self._started_s[options]

    def _watch(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            return
        with self._starting:  # in a process that was forked there is none again
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=self._end_long_ones, name="time-limit", daemon=True)
                self._thread.start()

    def _end_long_ones(self) -> None:
        while True:
            self._is_running.wait()
            time.sleep(LOOK_EVERY_S)
            self._is_running.clear()
            for options, started_s in list(self._started_s.items()):
                self._is_running.set()
                if time.monotonic() - started_s > self.limit_s:
                    options.terminate = True
