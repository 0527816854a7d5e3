"""Asks what comes on standard input, a line a question, until that ends; writes each answer down as it comes.

`python -m traffic.collect.asking.asker` is started by `asker_process.py`, in a session of its own, so that whatever
ends the collector (SIGKILL, ctrl-c, a closed terminal) does not end this: its standard input closes then, it is told
nothing more, writes down what is still answered, and ends. So what was asked when a collector was killed is recorded,
and not asked again. Only what ends both processes at once (the machine, its container) loses answers that were on
their way: those requests, `concurrency` at most, are asked a second time, with the same `Idempotency-Key`.
"""

import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import httpx

from traffic.collect.asking.attempts import Attempts
from traffic.collect.asking.kept_lines import KeptLines
from traffic.collect.asking.refusals import NotAnswered, check
from traffic.collect.asking.reply import row_of
from traffic.collect.questions import Question

logger = logging.getLogger(__name__)

LONGEST_LINE = 1 << 30
SYNC_S = 1.0
KEEP_ALIVE_S = 2.0
"""Shorter than any server's (vLLM's is 5 s): a request into a closing connection might be asked twice."""
CONNECT_S = 30.0
KEY_VARIABLE = "OPENAI_API_KEY"
Fate = Literal["ended", "cut", "aborted", "refused", "failed", "lost"]


@dataclass(frozen=True)
class AskerSettings:
    """What the asker is told, in the first line of its standard input."""

    url: str
    answers: str
    unanswered: str
    concurrency: int
    timeout_s: float
    retry_s: float
    keeps_text: bool


class Outcome(NamedTuple):
    """What became of a question, as the collector is told it: no text of a prompt or an answer."""

    fate: Fate
    """How the answer ended; `refused` for good; `failed` for now; or `lost`: it could not be written down."""
    reason: str = ""


def auth_headers() -> dict[str, str]:
    """The key of the endpoint, from the environment alone."""
    key = os.environ.get(KEY_VARIABLE)
    return {"Authorization": f"Bearer {key}"} if key else {}


class Asker:
    """Asks questions and keeps what comes of them."""

    def __init__(
        self, settings: AskerSettings, client: httpx.AsyncClient, answers: KeptLines, unanswered: KeptLines
    ) -> None:
        self.attempts = Attempts(settings.retry_s)
        self._settings = settings
        self._client = client
        self._answers = answers
        self._unanswered = unanswered

    async def ask(self, question: Question) -> Outcome:
        """Ask until it is answered or given up, write that down, and say what became of it."""
        try:
            row = await self.attempts(lambda: self._ask_once(question))
        except NotAnswered as error:
            outcome = Outcome("refused" if error.is_final else "failed", error.reason)
            return _kept(self._unanswered, _of_unanswered(question, error), outcome)
        return _kept(self._answers, row, Outcome(row["ending"] or "ended"))

    async def _ask_once(self, question: Question) -> dict[str, Any]:
        headers = {"Idempotency-Key": question.request_id, "X-Request-Id": question.request_id}
        sent_s, start_s = time.time(), time.perf_counter()
        response = await self._client.post(self._settings.url, json=question.body, headers=headers)
        end_to_end_s = time.perf_counter() - start_s
        check(response)
        answer = json.loads(response.content)
        return row_of(question, answer, sent_s, end_to_end_s, self._settings.keeps_text)


def _kept(file: KeptLines, line: Mapping[str, Any], outcome: Outcome) -> Outcome:
    try:
        file.write(line)
    except OSError as error:
        return Outcome("lost", str(error))
    return outcome


def _of_unanswered(question: Question, error: NotAnswered) -> Mapping[str, Any]:
    said = {"reason": error.reason, "words": error.words, "is_final": error.is_final}
    return {"request_id": question.request_id, "at_s": round(time.time(), 3), **said}


async def ask_all(lines: asyncio.StreamReader, tell: Callable[[Outcome], None]) -> None:
    """Take the settings and then questions until there are no more, each as soon as it comes."""
    settings = AskerSettings(**json.loads(await lines.readline()))
    limits = httpx.Limits(max_connections=settings.concurrency, keepalive_expiry=KEEP_ALIVE_S)
    timeout = httpx.Timeout(settings.timeout_s, connect=CONNECT_S, pool=None)
    with KeptLines(Path(settings.answers)) as answers, KeptLines(Path(settings.unanswered)) as unanswered:
        async with httpx.AsyncClient(limits=limits, timeout=timeout, headers=auth_headers()) as client:
            asker = Asker(settings, client, answers, unanswered)
            syncing = asyncio.create_task(_keep_safe(answers, unanswered))
            await _take(lines, asker, tell)
            syncing.cancel()


async def _take(lines: asyncio.StreamReader, asker: Asker, tell: Callable[[Outcome], None]) -> None:
    async def answer(line: bytes) -> None:
        try:
            outcome = await asker.ask(Question(*json.loads(line)))
        except Exception as error:  # whatever an endpoint may say that nobody expects: the others are asked on
            logger.exception("a request failed")
            outcome = Outcome("failed", type(error).__name__)
        tell(outcome)

    async with asyncio.TaskGroup() as tasks:
        while (line := await lines.readline()).endswith(b"\n"):  # half a line is where the collector was killed
            tasks.create_task(answer(line))
        asker.attempts.end()


async def _keep_safe(*files: KeptLines) -> None:
    """Bring what was written to the disk now and then: a process's end loses nothing, but the machine's might."""
    while True:
        await asyncio.sleep(SYNC_S)
        for file in files:
            await asyncio.to_thread(file.sync)


async def standard_input() -> asyncio.StreamReader:
    """The lines of standard input, without stopping the loop."""
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


def _tell(outcome: Outcome) -> None:
    with suppress(BrokenPipeError):  # the collector is gone
        os.write(sys.stdout.fileno(), json.dumps(outcome).encode() + b"\n")


async def _main() -> None:
    await ask_all(await standard_input(), _tell)


if __name__ == "__main__":
    asyncio.run(_main())
