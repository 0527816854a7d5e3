"""The folder of a collection: its answers, what was refused, and that one collector at a time writes there.

    answers.jsonl             one line an answer, in the order in which they came: the log
    .collect/unanswered.jsonl what got no answer, and why
    .collect/collector.lock   held by the process that a user started
    .collect/asker.lock       held by whoever may still write an answer

Locks are the kernel's (`flock`), so they go with the processes that hold them, whatever ends those.
"""

import fcntl
import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry.errors import InvalidInput
from traffic.cells.nested import nested

logger = logging.getLogger(__name__)

ANSWERS, UNANSWERED = "answers.jsonl", ".collect/unanswered.jsonl"
COLLECTOR_LOCK, ASKER_LOCK = ".collect/collector.lock", ".collect/asker.lock"
ASKER_LOG = ".collect/asker.log"
TAIL_BYTES = 1 << 16


@dataclass(frozen=True)
class AnswerFolder:
    """Where a collection's answers go."""

    path: Path

    @property
    def answers(self) -> Path:
        """The log."""
        return self.path / ANSWERS

    @property
    def unanswered(self) -> Path:
        """What was refused or failed."""
        return self.path / UNANSWERED

    @contextmanager
    def held(self) -> Iterator[int]:
        """Hold the folder alone, its last lines whole; yields the lock that an asking process shares.

        Where the collector before was killed, its last requests may still be answered and recorded: that is waited for.

        Raises:
            InvalidInput: another collector writes there, or nobody can.
        """
        with self._opened(COLLECTOR_LOCK) as collector, self._opened(ASKER_LOCK) as asker:
            self._take(collector)
            _wait_for(asker)
            _drop_torn_line(self.answers)
            _drop_torn_line(self.unanswered)
            yield asker

    def settled(self) -> set[str]:
        """The identities of what is not asked again: what is answered, here or by a batch, or refused for good."""
        found: set[str] = set()
        for path in sorted(self.path.glob("*.jsonl")):
            found.update(filter(None, map(_answered, _lines_of(path))))
        refused = (one for one in _lines_of(self.unanswered) if one.get("is_final"))
        found.update(str(one.get("request_id")) for one in refused)
        return found

    @contextmanager
    def _opened(self, name: str) -> Iterator[int]:
        path = self.path / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise InvalidInput(f"out must be a folder that can be written, but {self.path} is not: {error}.") from error
        try:
            yield lock
        finally:
            os.close(lock)

    def _take(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidInput(
                f"one collector at a time may write {self.path}, but another one does;"
                " wait for it, or give another folder with out=FOLDER."
            ) from None


def _wait_for(lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        logger.warning("The last start was stopped with requests on their way; waiting until they are answered.")
        fcntl.flock(lock, fcntl.LOCK_EX)


def _drop_torn_line(path: Path) -> None:
    """Cut off what stands behind the last end of a line: a write that a crash has ended."""
    if not path.is_file():
        return
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        whole = _end_of_last_line(file, size)
        if whole < size:
            logger.warning("%s ends in half a line, which is dropped; its request is asked again.", path.name)
            file.truncate(whole)


def _end_of_last_line(file: Any, size: int) -> int:
    end = size
    while end:
        start = max(0, end - TAIL_BYTES)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            return int(start + newline + 1)
        end = start
    return 0


def _lines_of(path: Path) -> Iterator[Mapping[str, Any]]:
    if not path.is_file():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                values = json.loads(line)
            except ValueError as error:
                if not line.endswith(b"\n"):  # another collector is writing it
                    return
                raise InvalidInput(
                    f"each line of {path} must be a JSON object, but line {number} is not; mend or remove it."
                ) from error
            if isinstance(values, dict):
                yield values


def _answered(values: Mapping[str, Any]) -> str | None:
    """The request that a line answers: one of ours, or of a batch's results."""
    if nested(values, "response", "status_code") == 200:
        return str(values.get("custom_id"))
    return str(values["request_id"]) if "request_id" in values else None
