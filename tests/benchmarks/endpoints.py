"""A small OpenAI-compatible endpoint of our own; the real one stands in test_replay.py."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from registry.request import content_text

CONTEXT_TOKENS = 400
PREFILL_S = 0.005
"""Between the head of an answer and its first token."""


class FakeEndpoint:
    """Streams as many tokens as were asked for (and `extra_tokens` more), and keeps what it was sent.

    Where it `ends_after` some tokens of its own, by the text, `ignore_eos` keeps it from that.
    """

    def __init__(
        self, can_count: bool = False, owner: str = "somebody", ends_after: Callable[[str], int] | None = None
    ) -> None:
        self.owner = owner
        self.ends_after = ends_after
        self.bodies: list[dict[str, Any]] = []
        self.keys: set[str | None] = set()
        self.extra_tokens = 0
        self.ending_s = 0.0
        self.status = 200
        self.newline = "\n"
        self.field = "data: "
        self.app = web.Application()
        self.app.router.add_post("/v1/completions", self.complete)
        self.app.router.add_post("/v1/chat/completions", self.chat)
        self.app.router.add_get("/v1/models", self.models)
        if can_count:
            self.app.router.add_post("/tokenize", self.tokenize)

    async def models(self, request: web.Request) -> web.Response:
        self.keys.add(request.headers.get("Authorization"))
        model = {"id": "fake-llm", "max_model_len": CONTEXT_TOKENS, "owned_by": self.owner}
        return web.json_response({"data": [model]})

    async def tokenize(self, request: web.Request) -> web.Response:
        body = await request.json()
        return web.json_response({"count": len(_text(body).split()), "max_model_len": CONTEXT_TOKENS})

    async def complete(self, request: web.Request) -> web.StreamResponse:
        return await self._stream(request, "max_tokens", [], {"text": "x"})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """The role comes before there is a token, as from some servers."""
        opening = [{"delta": {"role": "assistant", "content": ""}}]
        return await self._stream(request, "max_completion_tokens", opening, {"delta": {"content": "x"}})

    async def _stream(
        self, request: web.Request, limit: str, opening: list[dict[str, Any]], choice: dict[str, Any]
    ) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        self.keys.add(request.headers.get("Authorization"))
        if self.status != 200:
            return web.Response(status=self.status, text="no room")
        response = web.StreamResponse()
        await response.prepare(request)
        await self._write(response, *({"choices": [one]} for one in opening))
        await asyncio.sleep(PREFILL_S)
        num_tokens = body[limit] + self.extra_tokens
        if self.ends_after and not body.get("ignore_eos"):
            num_tokens = min(num_tokens, self.ends_after(_text(body)))
        await self._write(response, *[{"choices": [choice]}] * num_tokens)
        await asyncio.sleep(self.ending_s)
        usage = {"completion_tokens": num_tokens, "prompt_tokens": len(_text(body).split())}
        await self._write(response, {"choices": [], "usage": usage}, "[DONE]")
        return response

    async def _write(self, response: web.StreamResponse, *events: dict[str, Any] | str) -> None:
        for event in events:
            text = event if isinstance(event, str) else json.dumps(event)
            await response.write(f"{self.field}{text}{self.newline * 2}".encode())


def _text(body: dict[str, Any]) -> str:
    return (
        str(body["prompt"]) if "prompt" in body else " ".join(content_text(one["content"]) for one in body["messages"])
    )


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
