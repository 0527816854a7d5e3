"""Memory of a process over time."""

import asyncio
import time
from statistics import median

import psutil

WINDOW_S = 20.0


def worker_of(supervisor_pid: int) -> psutil.Process:
    """BentoML's worker: the process that takes requests in and ranks them."""
    children = psutil.Process(supervisor_pid).children()
    return next(child for child in children if any("_bentoml_impl.worker" in part for part in child.cmdline()))


class Memory:
    """Resident megabytes, once a second."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self.samples: list[tuple[float, float]] = []
        """(seconds since the start, megabytes)"""

    async def watch(self) -> None:
        """Take samples until cancelled."""
        started_s = time.monotonic()
        while True:
            self.samples.append((time.monotonic() - started_s, self._process.memory_info().rss / 2**20))
            await asyncio.sleep(1)

    def growth_after(self, start_s: float) -> float:
        """Share by which the memory of the last moments is above that of the moments after `start_s` (medians)."""
        end_s = self.samples[-1][0]
        start_s = min(start_s, end_s / 2)
        first = [megabytes for at_s, megabytes in self.samples if start_s <= at_s <= start_s + WINDOW_S]
        last = [megabytes for at_s, megabytes in self.samples if at_s >= end_s - WINDOW_S]
        return median(last) / median(first) - 1
