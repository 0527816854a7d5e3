"""Requests that plain vLLM is given are counted in its load for as long as they are there, and no longer."""

import asyncio
from typing import Any

import pytest

from serving.http.bodies import Message
from serving.http.reception import Reception
from serving.ranking.load import EngineLoad
from serving.ranking.prioritiser import EngineRequest, Policy

SCOPE = {"type": "http", "method": "POST", "path": "/v1/completions", "headers": []}
BODY = b'{"model": "demo-llm", "prompt": ["first", "second"]}'


class SlowToFail:
    """Admits the first prompt late, and fails at the second."""

    policy = Policy()

    def __init__(self, load: EngineLoad) -> None:
        self._load = load
        self._num_asked = 0

    async def admit(self, _: Any, request: EngineRequest) -> tuple[int, float | None]:
        self._num_asked += 1
        if self._num_asked == 2:
            raise MemoryError("no room to rank")
        await asyncio.sleep(0.05)
        self._load.enter(request.num_sequences)
        return 1, None


async def test_unexpected_error_leaves_nothing_counted() -> None:
    load = EngineLoad(4)

    async def app(*_: Any) -> None:
        raise AssertionError("it is not asked")

    async def receive() -> Message:
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(_: Message) -> None: ...

    reception = Reception(app, SlowToFail(load), load, lambda _: True, 1000)  # type: ignore[arg-type]
    with pytest.raises(ExceptionGroup, match="TaskGroup"):
        await reception.serve(SCOPE, receive, send)
    await asyncio.sleep(0.1)
    assert load.num_sequences == 0
