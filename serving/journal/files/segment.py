"""One append-only file of the journal: rows as lines of JSON, of one process, until they become parquet.

What is appended is the kernel's at once, so the death of the process loses none of it; a power cut may lose what came
since the last `sync`. Its lock ends with its process, which is how others know that nobody appends any more.
"""

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from serving.journal.keys import KEPT_APART
from traffic.files.log_files import GROWING_SUFFIX

STAMP = "%Y%m%dT%H%M%SZ"
BEING_MADE = "new-"


class Segment:
    """A file that this process appends to."""

    def __init__(self, folder: Path) -> None:
        """Begin a new one; its name begins with the time, so that names are in the order of rows.

        Raises:
            OSError: the folder cannot be written.
        """
        seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        moment = f"{time.strftime(STAMP, time.gmtime(seconds))}-{nanoseconds // 1000:06}"
        stem = f"{moment}-{os.getpid()}-{secrets.token_hex(3)}"
        self.path = folder / f"{stem}{GROWING_SUFFIX}"
        self.begun_s, self.begun_ns = time.monotonic(), time.time_ns()
        self.num_bytes = 0
        beside = (
            folder / KEPT_APART / f"{BEING_MADE}{stem}"
        )  # whoever finds it without a lock would take it for a dead one's
        self._file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            beside.rename(self.path)
        except OSError:
            os.close(self._file)
            raise

    def append(self, lines: bytes) -> None:
        """Append whole lines, or nothing.

        Raises:
            OSError: they cannot be written.
        """
        try:
            written = 0
            while written < len(lines):
                written += os.write(self._file, lines[written:])
        except OSError:
            os.ftruncate(self._file, self.num_bytes)
            raise
        self.num_bytes += len(lines)

    def note_running(self, lines: bytes) -> None:
        """Note requests that run: should this process be killed, they are known to have been there.

        Raises:
            OSError: they cannot be written.
        """
        file = os.open(running_beside(self.path), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(file, "wb") as notes:
            notes.write(lines)

    def sync(self) -> None:
        """Bring all of it onto the disk, however long that takes; meanwhile another thread may close the segment."""
        with suppress(FileNotFoundError):  # it is parquet by now, and on the disk
            file = os.open(self.path, os.O_RDONLY)
            try:
                os.fdatasync(file)
            finally:
                os.close(file)

    def close(self) -> None:
        """Nothing is appended any more, and this process goes on with what runs; the lock ends."""
        running_beside(self.path).unlink(missing_ok=True)
        os.close(self._file)


def running_beside(segment: Path) -> Path:
    """Where the requests are noted that run while a segment is written."""
    return segment.parent / KEPT_APART / f"{segment.name.removesuffix(GROWING_SUFFIX)}.running"


def segments(folder: Path) -> list[Path]:
    """Those of all processes, the oldest first."""
    return sorted(folder.glob(f"*{GROWING_SUFFIX}"))


@contextmanager
def abandoned(path: Path) -> Iterator[bool]:
    """Whether nobody appends to a segment any more; in the block nobody else takes it either."""
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        yield False
        return
    try:
        yield _is_free(file) and path.exists()
    finally:
        os.close(file)


def _is_free(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
