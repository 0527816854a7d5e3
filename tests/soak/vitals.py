"""What a server uses: memory, file descriptors, threads and disk, sampled over time and looked at while it idles."""

import asyncio
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Vitals:
    """What the worker process uses at a moment."""

    resident_megabytes: float
    file_descriptors: float
    threads: float
    disk_megabytes: float
    """In the server's folders: rankers, metrics, temporary files."""


class Patient:
    """The worker process of a BentoML service, and the folders that it writes into."""

    def __init__(self, supervisor_pid: int, folders: list[Path]) -> None:
        self._worker = worker_of(supervisor_pid)
        self._folders = folders
        self._started_s = time.monotonic()
        self.samples: list[tuple[float, Vitals]] = []
        """(seconds since the start, vitals)"""

    def vitals(self) -> Vitals:
        """What is used now."""
        with self._worker.oneshot():
            return Vitals(
                resident_megabytes=self._worker.memory_info().rss / 2**20,
                file_descriptors=self._worker.num_fds(),
                threads=self._worker.num_threads(),
                disk_megabytes=sum(map(_bytes_in, self._folders)) / 2**20,
            )

    async def watch(self, every_s: float = 5.0) -> None:
        """Take samples until cancelled."""
        while self._worker.is_running():
            self.samples.append((time.monotonic() - self._started_s, self.vitals()))
            await asyncio.sleep(every_s)


def worker_of(supervisor_pid: int) -> psutil.Process:
    """BentoML's worker: the process that takes requests in and ranks them."""
    children = psutil.Process(supervisor_pid).children()
    return next(child for child in children if any("_bentoml_impl.worker" in part for part in child.cmdline()))


def growth(before: Vitals, after: Vitals) -> dict[str, float]:
    """Share by which each has grown."""
    earlier = asdict(before)
    return {name: value / earlier[name] - 1 for name, value in asdict(after).items()}


def _bytes_in(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size if path.is_file() else 0
        except FileNotFoundError:  # removed meanwhile
            continue
    return total
