"""The door before vLLM's application."""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import pytest

from serving.hosts.gate import Gate

Message = MutableMapping[str, Any]
WHY = "The server is stopping."


class App:
    """Answers once it may go on; begins at once if it streams."""

    def __init__(self, is_streaming: bool = False) -> None:
        self.may_go_on = asyncio.Event()
        self._is_streaming = is_streaming

    async def __call__(self, _scope: Message, _receive: Any, send: Callable[[Message], Awaitable[None]]) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": []}
        if self._is_streaming:
            await send(start)
        await self.may_go_on.wait()
        if not self._is_streaming:
            await send(start)
        await send({"type": "http.response.body", "body": b"answer"})


def open_gate(app: App) -> Gate:
    gate = Gate()
    assert not gate.is_open
    gate.app = app
    assert gate.is_open
    return gate


async def ask(gate: Gate, kind: str = "http") -> list[Message]:
    """What is sent back to one client."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await gate({"type": kind}, None, send)
    return sent


async def test_closed_gate_lets_nobody_in_and_those_inside_finish() -> None:
    app = App()
    gate = open_gate(app)
    inside = asyncio.create_task(ask(gate))
    await asyncio.sleep(0)
    gate.close(WHY)
    assert not gate.is_open
    start, body = await ask(gate)
    assert start["status"] == 503
    assert dict(start["headers"])[b"connection"] == b"close"
    assert json.loads(body["body"])["error"]["message"] == WHY
    assert (await ask(gate, "websocket"))[0]["type"] == "websocket.close"
    empty = asyncio.create_task(gate.wait_until_empty(30))
    await asyncio.sleep(0.01)
    assert not empty.done()
    app.may_go_on.set()
    assert await empty == 0
    assert [message.get("status") for message in await inside] == [200, None]


async def test_empty_gate_is_not_waited_for() -> None:
    assert await open_gate(App()).wait_until_empty(0) == 0


@pytest.mark.parametrize("limit_s", [0, 0.01])
async def test_what_has_not_begun_at_the_limit_ends_in_503(limit_s: float) -> None:
    gate = open_gate(App())
    inside = [asyncio.create_task(ask(gate)) for _ in range(3)]
    await asyncio.sleep(0)
    gate.close(WHY)
    assert await gate.wait_until_empty(limit_s) == 3
    assert [(await one)[0]["status"] for one in inside] == [503] * 3


async def test_hurry_ends_the_wait_as_if_the_limit_were_over() -> None:
    gate = open_gate(App())
    inside = asyncio.create_task(ask(gate))
    await asyncio.sleep(0)
    gate.close(WHY)
    empty = asyncio.create_task(gate.wait_until_empty(30))
    await asyncio.sleep(0.01)
    assert not empty.done()
    gate.hurry()
    assert await empty == 1
    assert (await inside)[0]["status"] == 503


async def test_answer_that_has_begun_is_cut_off() -> None:
    gate = open_gate(App(is_streaming=True))
    inside = asyncio.create_task(ask(gate))
    await asyncio.sleep(0)
    gate.close(WHY)
    assert await gate.wait_until_empty(0) == 1
    with pytest.raises(asyncio.CancelledError):
        await inside


async def test_client_that_leaves_an_open_gate_gets_no_503() -> None:
    gate = open_gate(App())
    inside = asyncio.create_task(ask(gate))
    await asyncio.sleep(0)
    inside.cancel()
    with pytest.raises(asyncio.CancelledError):
        await inside
    gate.close(WHY)
    assert await gate.wait_until_empty(0) == 0
