"""A small OpenAI-compatible endpoint of our own; the real one stands in test_replay.py."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

CONTEXT_TOKENS = 400
PREFILL_S = 0.005
"""Between the head of an answer and its first token."""


class FakeEndpoint:
    """Streams as many tokens as were asked for (and `extra_tokens` more), and keeps what it was sent."""

    def __init__(self, can_count: bool = False) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.keys: set[str | None] = set()
        self.extra_tokens = 0
        self.status = 200
        self.newline = "\n"
        self.field = "data: "
        self.app = web.Application()
        self.app.router.add_post("/v1/completions", self.complete)
        self.app.router.add_get("/v1/models", self.models)
        if can_count:
            self.app.router.add_post("/tokenize", self.tokenize)

    async def models(self, request: web.Request) -> web.Response:
        self.keys.add(request.headers.get("Authorization"))
        return web.json_response({"data": [{"id": "fake-llm", "max_model_len": CONTEXT_TOKENS}]})

    async def tokenize(self, request: web.Request) -> web.Response:
        body = await request.json()
        return web.json_response({"count": len(body["prompt"].split()), "max_model_len": CONTEXT_TOKENS})

    async def complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        self.keys.add(request.headers.get("Authorization"))
        if self.status != 200:
            return web.Response(status=self.status, text="no room")
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.sleep(PREFILL_S)
        num_tokens = body["max_tokens"] + self.extra_tokens
        usage = {"completion_tokens": num_tokens, "prompt_tokens": len(body["prompt"].split())}
        events = [json.dumps({"choices": [{"text": "x"}]})] * num_tokens + [json.dumps({"choices": [], "usage": usage})]
        for event in [*events, "[DONE]"]:
            await response.write(f"{self.field}{event}{self.newline * 2}".encode())
        return response


@contextmanager
def serving(endpoint: FakeEndpoint) -> Iterator[str]:
    """Serve it from a thread of its own and yield its address."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(endpoint.app)
    loop.run_until_complete(runner.setup())
    site = web.TCPSite(runner, "127.0.0.1", 0)
    loop.run_until_complete(site.start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
