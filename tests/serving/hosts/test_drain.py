"""The stop signals, with real ones and with the HTTP server that the service has."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import uvicorn

from serving.hosts import drain, gate
from serving.hosts.drain import STOP_SIGNALS, Drain
from serving.hosts.gate import Gate
from tests.servers import free_port

SOON_S = 0.2


class Setting:
    """A request inside a gate, and an HTTP server that only notes that it was told to stop."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.gate.app = self._answer
        self.may_answer = asyncio.Event()
        self.outcome = ""
        self.stops: list[int] = []
        self.is_abandoned = asyncio.Event()
        self.drain = Drain(self.gate, 60, self._abandon)
        self.request = asyncio.create_task(self.gate({"type": "http"}, None, self._send))

    async def _answer(self, _scope: Any, _receive: Any, send: Any) -> None:
        await self.may_answer.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def _send(self, message: Any) -> None:
        self.outcome += str(message.get("status", ""))

    async def _abandon(self) -> None:
        self.is_abandoned.set()


@pytest.fixture
async def handlers() -> AsyncIterator[None]:
    before = {stop_signal: signal.getsignal(stop_signal) for stop_signal in STOP_SIGNALS}
    yield
    for stop_signal, handler in before.items():
        asyncio.get_running_loop().remove_signal_handler(stop_signal)
        signal.signal(stop_signal, handler)


@pytest.fixture
async def setting(handlers: None) -> Setting:
    setting = Setting()
    for stop_signal in STOP_SIGNALS:
        signal.signal(stop_signal, lambda number, _: setting.stops.append(number))
    setting.drain.listen()
    await asyncio.sleep(0)
    return setting


async def send(*signals: signal.Signals) -> None:
    for one in signals:
        os.kill(os.getpid(), one)
        await asyncio.sleep(SOON_S / 2)  # two that are pending together would be one


async def eventually(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not is_so():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "signals",
    [
        [signal.SIGTERM],
        [signal.SIGTERM, signal.SIGTERM, signal.SIGTERM],
        [signal.SIGINT],
        [signal.SIGINT, signal.SIGTERM],
        [signal.SIGTERM, signal.SIGINT],
    ],
)
async def test_signal_that_is_repeated_does_not_cut_the_drain_short(
    setting: Setting, signals: list[signal.Signals], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "serving.hosts.drain")
    await send(*signals)
    assert not setting.gate.is_open
    assert (setting.stops, setting.outcome) == ([], ""), "nobody is cut, and the HTTP server keeps its door"
    assert caplog.text.count("changes nothing") == len(signals) - 1
    setting.may_answer.set()
    await eventually(lambda: setting.stops)
    await setting.request
    assert (setting.stops, setting.outcome) == ([signals[0]], "200")
    await send(signal.SIGTERM, signal.SIGINT)
    assert setting.stops == [signals[0]], "uvicorn would force its exit, and leave the engine behind"
    setting.drain.end()


@pytest.mark.parametrize("first", STOP_SIGNALS)
async def test_second_sigint_ends_running_requests_at_once(setting: Setting, first: signal.Signals) -> None:
    await send(first, *[signal.SIGINT] * (1 if first is signal.SIGINT else 2))
    await eventually(lambda: setting.stops)
    assert (setting.stops, setting.outcome) == ([first], "503")
    setting.drain.end()


async def test_http_server_that_ends_is_not_abandoned(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "SERVER_LIMIT_S", SOON_S)
    setting.may_answer.set()
    await send(signal.SIGTERM)
    await eventually(lambda: setting.stops)
    setting.drain.end()
    await asyncio.sleep(2 * SOON_S)
    assert not setting.is_abandoned.is_set()


async def survives_its_cut(_scope: Any, _receive: Any, _send: Any) -> None:
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            if not gate.LAST_WORDS_S:  # set by the test once it has seen enough
                raise


async def streams_more_than_fits_between_here_and_there(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": b"x" * 1_000_000, "more_body": True})


@pytest.mark.parametrize("app", [survives_its_cut, streams_more_than_fits_between_here_and_there])
@pytest.mark.usefixtures("handlers")
async def test_request_that_keeps_the_http_server_waiting_is_left_behind(
    app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "LAST_WORDS_S", SOON_S)
    monkeypatch.setattr(drain, "SERVER_LIMIT_S", 3 * SOON_S)
    for stop_signal in STOP_SIGNALS:
        signal.signal(stop_signal, lambda *_: None)  # uvicorn raises the signal again once it has stopped
    door, is_abandoned = Gate(), asyncio.Event()
    door.app = app

    async def abandon() -> None:
        is_abandoned.set()

    port = free_port()
    server = uvicorn.Server(uvicorn.Config(door, port=port, lifespan="off", log_level="critical"))
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    listening = Drain(door, SOON_S, abandon)
    listening.listen()
    with socket.create_connection(("127.0.0.1", port)) as reads_nothing:
        reads_nothing.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await asyncio.sleep(SOON_S)
        await send(signal.SIGTERM)
        await asyncio.wait_for(is_abandoned.wait(), 10)
        assert not serving.done(), "without a limit it would wait for ever"
    monkeypatch.setattr(gate, "LAST_WORDS_S", 0)
    for task in server.server_state.tasks:
        task.cancel()
    await asyncio.wait_for(serving, 10)
