"""Idle connections of the HTTP server that BentoML runs: uvicorn."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from serving.hosts.keep_alive import BENTOML_KEEP_ALIVE_S, keep_alive
from tests.bentomls import bentomls


@asynccontextmanager
async def http_server(limit_s: int, flag_s: int = BENTOML_KEEP_ALIVE_S) -> AsyncIterator[tuple[uvicorn.Server, int]]:
    """As BentoML runs it: the setting is heard of while the application starts."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            keep_alive(limit_s)
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
        else:
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})

    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_keep_alive=flag_s))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        task = asyncio.create_task(server.serve([listening]))
        while not server.started:
            await asyncio.sleep(0.01)
        yield server, listening.getsockname()[1]
        server.should_exit = True
        await task


async def is_closed_within(port: int, limit_s: float) -> bool:
    """Whether the server closes an idle connection on which it has answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    try:
        async with asyncio.timeout(limit_s):
            return await reader.read() == b""
    except TimeoutError:
        return False
    finally:
        writer.close()


async def test_idle_connection_stays_open_for_as_long_as_the_setting_says() -> None:
    async with http_server(limit_s=1) as (server, port):
        assert server.config.timeout_keep_alive == 1
        assert await is_closed_within(port, BENTOML_KEEP_ALIVE_S - 1)
    async with http_server(limit_s=75) as (server, port):
        assert server.config.timeout_keep_alive == 75
        assert not await is_closed_within(port, BENTOML_KEEP_ALIVE_S + 1)


async def test_flag_of_the_command_line_comes_first() -> None:
    async with http_server(limit_s=75, flag_s=20) as (server, _):
        assert server.config.timeout_keep_alive == 20


def test_limit_that_is_replaced_is_bentomls_own() -> None:
    worker = bentomls("_bentoml_impl.worker.service").main
    (option,) = [option for option in worker.params if option.name == "timeout_keep_alive"]
    assert option.default == BENTOML_KEEP_ALIVE_S


def test_another_http_server_is_said_and_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    assert not isinstance(getattr(signal.getsignal(signal.SIGTERM), "__self__", None), uvicorn.Server)
    keep_alive(75)
    assert "PARS_KEEP_ALIVE_S has no effect" in caplog.text
