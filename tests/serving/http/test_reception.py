"""Requests that plain vLLM is given are counted in its load for as long as they are there, and no longer."""

import asyncio
from typing import Any

import pytest

from serving.arrival_clock import ArrivalClock
from serving.http.bodies import Message
from serving.http.reception import Reception
from serving.ranking.admission import Admission, Admissions
from serving.ranking.load import EngineLoad, Seat
from serving.ranking.prioritiser import Prioritiser
from serving.request_stages import EngineRequest, HttpRequest
from tests.serving.fakes import make_policy

SCOPE = {"type": "http", "method": "POST", "path": "/v1/completions", "headers": []}
BODY = b'{"model": "demo-llm", "prompt": ["first", "second"]}'


class SlowToFail(Admissions):
    """The second of several requests fails while the others are still to be admitted."""

    def __init__(self, load: EngineLoad) -> None:
        super().__init__(make_policy(), load, None)
        self._num_asked = 0

    async def admit(self, http_request: HttpRequest, request: EngineRequest, seat: Seat) -> Admission:
        self._num_asked += 1
        if self._num_asked == 2:
            raise MemoryError("no room to rank")
        await asyncio.sleep(0.05)
        return await super().admit(http_request, request, seat)


async def test_unexpected_error_leaves_nothing_counted() -> None:
    load = EngineLoad(4)

    async def app(*_: Any) -> None:
        raise AssertionError("it is not asked")

    async def receive() -> Message:
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(_: Message) -> None: ...

    prioritiser = Prioritiser(make_policy(), ArrivalClock(), load, None)
    prioritiser.admissions = SlowToFail(load)
    reception = Reception(app, prioritiser, lambda _: True, max_body_bytes=1000, most_prompts=4)
    with pytest.raises(ExceptionGroup, match="TaskGroup"):
        await reception.serve(SCOPE, receive, send)
    await asyncio.sleep(0.1)
    assert load.num_sequences == 0


async def test_requests_are_counted_until_the_application_has_answered() -> None:
    load = EngineLoad(4)
    counted: list[int] = []

    async def app(*_: Any) -> None:
        counted.append(load.num_sequences)

    async def receive() -> Message:
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(_: Message) -> None: ...

    prioritiser = Prioritiser(make_policy(), ArrivalClock(), load, None)
    reception = Reception(app, prioritiser, lambda _: True, max_body_bytes=1000, most_prompts=4)
    await reception.serve(SCOPE, receive, send)
    assert (counted, load.num_sequences) == ([2], 0)
