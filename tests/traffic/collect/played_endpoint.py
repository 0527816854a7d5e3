"""An OpenAI-compatible endpoint that tests play: it has faults, and counts what it was asked and has answered."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from registry.request import content_text

Fault = Callable[[int], web.Response | None]
"""(how often this request was asked before) -> what is said instead of an answer; None answers."""


class PlayedEndpoint:
    """Answers each prompt with as many tokens as it has characters, after `answer_s`."""

    def __init__(self, answer_s: float = 0.0, fault: Fault | None = None, key: str | None = None) -> None:
        self.answer_s = answer_s
        self.fault = fault
        self.key = key
        self.models = ["played-llm", "other-llm"]
        self.bodies: list[dict[str, Any]] = []
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.idempotency: Counter[str] = Counter()
        self.most_at_once = self.at_once = 0
        self.url = ""
        self.changes: dict[str, Any] = {}
        """Of the whole answer."""
        self.app = web.Application(client_max_size=1 << 24)
        self.app.router.add_get("/v1/models", self.list_models)
        self.app.router.add_post("/v1/chat/completions", self.answer)
        self.app.router.add_post("/v1/completions", self.answer)

    async def list_models(self, request: web.Request) -> web.Response:
        if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
            return web.json_response({"error": "no"}, status=401)
        return web.json_response({"data": [{"id": name} for name in self.models]})

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        identity = f"{asked_text(body)} #{body.get('seed')}"
        before = self.asked[identity]
        self.asked[identity] += 1
        self.bodies.append(body)
        self.idempotency[request.headers["Idempotency-Key"]] += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.answer_s)
        finally:
            self.at_once -= 1
        if self.fault and (said := self.fault(before)) is not None:
            if said.status == 499:
                request.transport.abort()  # type: ignore[union-attr]
            return said
        self.answered[identity] += 1
        return web.json_response(self._answer(body))

    def _answer(self, body: dict[str, Any]) -> dict[str, Any]:
        tokens = len(asked_text(body))
        limit = body.get("max_tokens", body.get("max_completion_tokens"))
        is_cut = tokens > limit
        text = {"message": {"role": "assistant", "content": "secret answer"}} if "messages" in body else {"text": "t"}
        answer = {
            "choices": [{**text, "finish_reason": "length" if is_cut else "stop"}],
            "usage": {
                "prompt_tokens": 7,
                "completion_tokens": min(tokens, limit),
                "completion_tokens_details": {"reasoning_tokens": 1},
            },
        }
        return {**answer, **self.changes}


def asked_text(body: dict[str, Any]) -> str:
    return str(body["prompt"]) if "prompt" in body else content_text(body["messages"][-1]["content"])


@contextmanager
def played(endpoint: PlayedEndpoint) -> Iterator[PlayedEndpoint]:
    """Play it in a thread, at a free port."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(endpoint.app, handle_signals=False)

    async def start() -> None:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        endpoint.url = f"http://127.0.0.1:{runner.addresses[0][1]}"

    loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
