"""The collector's side of the asking process: it is started, told questions as it answers others, and ended."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from registry.errors import UserError
from traffic.collect.asking.asker import AskerSettings, Outcome
from traffic.collect.questions import Question

logger = logging.getLogger(__name__)

MODULE = "traffic.collect.asking.asker"
PROJECT = Path(__file__).parents[3]


class AskerEnded(UserError):
    """The process that asks ended before its questions were answered."""


class AskerProcess:
    """A running one."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self._process = process
        self._log = log

    def outcomes(self, questions: Iterable[Question], at_once: int) -> Iterator[Outcome]:
        """Ask all questions, so many at a time, and say of each what became of it, in the order in which they end.

        It is told no more than it asks at the same time: when this process is killed, nothing is left that it would
        still ask.

        Raises:
            AskerEnded: it has, though it should not.
        """
        waiting = iter(questions)
        told = self._tell(islice(waiting, at_once))
        while told:
            yield self._outcome()
            told += self._tell(islice(waiting, 1)) - 1

    def rest(self) -> Iterator[Outcome]:
        """Ask nothing more, and say what became of what is on its way."""
        self._close()
        assert self._process.stdout is not None
        for line in self._process.stdout:
            yield Outcome(*json.loads(line))

    def end(self) -> None:
        """Wait until all that is on its way is written down."""
        for _ in self.rest():
            pass
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process.wait()

    def _tell(self, questions: Iterable[Question]) -> int:
        assert self._process.stdin is not None
        told = 0
        try:
            for told, question in enumerate(questions, 1):  # noqa: B007  # it is counted
                self._process.stdin.write(json.dumps(question).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None
        return told

    def _outcome(self) -> Outcome:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._ended()
        return Outcome(*json.loads(line))

    def _ended(self) -> AskerEnded:
        code = self._process.wait()
        return AskerEnded(
            f"the process that asks must go on, but it ended with exit code {code}; what was answered is recorded, and"
            f" the same command goes on (its last words are in {self._log})."
        )

    def _close(self) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()


@contextmanager
def asker(settings: AskerSettings, lock: int, log: Path) -> Iterator[AskerProcess]:
    """Start it, and let it end with the block, everything written down. It holds the lock while it runs.

    At ctrl-c it is not waited for: it ends by itself, as when this process is killed.
    """
    with log.open("wb") as words:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=words,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")])),
            },
            pass_fds=[lock],
            start_new_session=True,
        )
    running = AskerProcess(process, log)
    assert process.stdin is not None
    process.stdin.write(json.dumps(asdict(settings)).encode() + b"\n")
    try:
        yield running
    except KeyboardInterrupt:
        logger.warning("Stopped. What is on its way is still answered and recorded; the next start waits for it.")
        raise
    except BaseException:
        running.end()
        raise
    running.end()
