"""A journal behind a fake engine, and what it has written."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq

from serving.arrival_clock import ArrivalClock
from serving.config import Settings
from serving.correction.corrections import Corrections
from serving.drift.live_drift import LiveDrift
from serving.journal.files.segment import segments
from serving.journal.journal import Journal
from serving.journal.keys import find_keys
from serving.ranking.load import EngineLoad
from serving.ranking.prioritiser import Prioritiser
from serving.request_stages import HttpRequest, as_current
from tests.servers import RunningServer
from tests.serving.fakes import FakeRanker, make_policy, only

REQUEST_ID = "chatcmpl-0123456789abcdef"


def output(*answers: tuple[int, int, str | None], prompt_tokens: int = 5) -> Any:
    """An output of vLLM's with pieces of answers: number, tokens, finish reason."""
    stats = SimpleNamespace(
        queued_ts=10.0, scheduled_ts=10.5, first_token_ts=11.0, last_token_ts=12.5, num_preemptions=1
    )
    pieces = [
        SimpleNamespace(index=index, token_ids=[7] * tokens, finish_reason=reason) for index, tokens, reason in answers
    ]
    return SimpleNamespace(
        outputs=pieces, metrics=stats, prompt_token_ids=[1] * prompt_tokens, num_cached_tokens=2, finished=True
    )


@dataclass
class Engine:
    """Answers with the given outputs; an exception among them is raised."""

    outputs: list[Any] = field(default_factory=lambda: [output((0, 3, None)), output((0, 4, "stop"))])

    async def generate(self, *_: Any, **__: Any) -> AsyncGenerator[Any, None]:
        for one in self.outputs:
            if isinstance(one, BaseException):
                raise one
            yield one


def settings(folder: Path, **changes: Any) -> Settings:
    return Settings(journal_dir=folder, **changes)


@dataclass
class Server:
    """The choke point with a journal."""

    journal: Journal
    prioritiser: Prioritiser
    close_ranking: Callable[[], None]

    @classmethod
    def start(
        cls, folder: Path, corrections: Corrections | None = None, drift: LiveDrift | None = None, **changes: Any
    ) -> "Server":
        clock, ranker = ArrivalClock(), FakeRanker(has_instant=True)
        finder = only(lambda: ranker, corrections=corrections)
        journal = Journal.start(settings(folder, **changes), clock)
        prioritiser = Prioritiser(make_policy(), clock, EngineLoad(4), finder, journal=journal, drift=drift)
        return cls(journal, prioritiser, finder.close)

    async def serve(
        self,
        engine: Engine,
        body: dict[str, Any] | None = None,
        *,
        path: str = "/v1/completions",
        prompt: Any = None,
        request_id: str = REQUEST_ID,
        pieces: bool = True,
        stop_after: int | None = None,
        credential: str = "",
        **kwargs: Any,
    ) -> None:
        params = SimpleNamespace(max_tokens=None, n=1, output_kind=SimpleNamespace(name="DELTA" if pieces else "X"))
        http_request = HttpRequest(self.prioritiser.clock, path)
        http_request.credential = credential
        if body is not None:
            http_request.see({"type": "http.request", "body": json.dumps(body).encode()})
        with as_current(http_request):
            outputs = self.prioritiser.wrap(engine.generate)(prompt, params, request_id, **kwargs)
        num_seen = 0
        async for _ in outputs:
            num_seen += 1
            if num_seen == stop_after:
                await outputs.aclose()
                return

    def close(self) -> None:
        self.journal.close()
        self.close_ranking()


def rows(folder: Path) -> list[dict[str, Any]]:
    """All rows that were rolled, in order, without what is null."""
    found = [row for path in sorted(folder.glob("*.parquet")) for row in pq.read_table(path).to_pylist()]
    return [{name: value for name, value in row.items() if value is not None} for row in found]


async def written(folder: Path, num_rows: int) -> None:
    """Wait until so many rows can be read, rolled or not."""
    for _ in range(500):
        lines = sum(path.read_bytes().count(b"\n") for path in segments(folder))
        if lines >= num_rows:
            return
        await asyncio.sleep(0.02)
    raise TimeoutError(f"{num_rows} rows should be in {folder}")


async def noted_of(server: RunningServer, session: str, num_rows: int) -> list[dict[str, Any]]:
    """The rows of a session that a server which still runs has noted, by their answers."""
    folder = server.log.with_name("journal")
    key = find_keys(folder, None).of("session", session)
    found: list[dict[str, Any]] = []
    for _ in range(100):
        lines = [line for path in segments(folder) for line in path.read_text().splitlines()]
        found = [*rows(folder), *map(json.loads, lines)]
        found = [row for row in found if row.get("session") == key]
        if len(found) >= num_rows:
            break
        await asyncio.sleep(0.1)
    assert len(found) == num_rows, found
    return sorted(found, key=lambda row: row["answer"])
