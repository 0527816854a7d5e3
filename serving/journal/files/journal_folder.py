"""The folder of the journal, as one process sees it: its own segment, what others have left, and what is kept.

Files that nobody appends to are changed by one process at a time, which holds the folder's lock.
"""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from serving.journal.files.retention import sweep
from serving.journal.files.rolling import roll
from serving.journal.files.segment import BEING_MADE, Segment, abandoned, segments
from serving.journal.keys import KEPT_APART
from serving.metrics import JOURNAL_BYTES, JOURNAL_DROPPED

logger = logging.getLogger(__name__)

LOCK = "lock"
LOCK_LIMIT_S = 60.0
TURN = "turn"
"""Touched by whoever wants that all processes begin new segments, so that the old ones can be changed."""
ROLL_BYTES = 8 << 20
ROLL_S = 3600.0
LEFT_OVER_S = 3600.0
"""A file that has been in the making for longer was left by a process that was killed."""


@dataclass(frozen=True)
class Limits:
    """What is kept."""

    max_bytes: int
    max_days: float


class JournalFolder:
    """Looks after the files. Its methods may take as long as the disk does: none is for an event loop."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path = path
        self._limits = limits

    def make(self) -> None:
        """See to it that it is there, for its owner alone.

        Raises:
            OSError: it cannot be made.
        """
        for folder in (self.path, self.path / KEPT_APART):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def is_due(self, segment: Segment) -> bool:
        """Whether a segment is to be followed by a new one."""
        is_large = segment.num_bytes >= min(ROLL_BYTES, self._limits.max_bytes // 4)
        is_old = time.monotonic() - segment.begun_s >= ROLL_S
        return is_large or is_old or self._is_turned(segment) or not segment.path.exists()

    def settle(self) -> None:
        """Roll all that nobody appends to, and remove what exceeds the limits.

        Raises:
            OSError: the disk.
        """
        self.make()
        with locked(self.path):
            for path in segments(self.path):
                with abandoned(path) as is_abandoned:
                    if is_abandoned and (num_broken := roll(path)):
                        JOURNAL_DROPPED.labels("torn").inc(num_broken)
                        logger.warning("%d broken lines of the journal were left out, of %s.", num_broken, path.name)
            self._remove_left_overs()
            JOURNAL_BYTES.set(sweep(self.path, self._limits.max_bytes, self._limits.max_days, time.time()))

    def _is_turned(self, segment: Segment) -> bool:
        try:
            return (self.path / KEPT_APART / TURN).stat().st_mtime_ns > segment.begun_ns
        except FileNotFoundError:
            return False

    def _remove_left_overs(self) -> None:
        for path in (self.path / KEPT_APART).glob(f"{BEING_MADE}*"):
            if time.time() - path.stat().st_mtime > LEFT_OVER_S:
                path.unlink(missing_ok=True)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Nobody else changes the files that nobody appends to.

    Raises:
        OSError: the folder cannot be written, or somebody else has not finished for long.
    """
    with FileLock(folder / KEPT_APART / LOCK, timeout=LOCK_LIMIT_S, mode=0o600):
        yield


def turn(folder: Path) -> None:
    """Ask all processes to begin new segments; they do so within a second."""
    marker = folder / KEPT_APART / TURN
    marker.touch(mode=0o600)
    os.utime(marker)
