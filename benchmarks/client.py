"""Sends planned requests to an OpenAI-compatible endpoint and measures each answer."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp
from tqdm import tqdm

from benchmarks.plan import PlannedRequest
from benchmarks.policies import Prioritise

TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=30)
"""A replayed queue may be long; only an unreachable server is an error."""


class ReplayError(RuntimeError):
    """A replay whose figures would mean nothing; the message says why."""


@dataclass(frozen=True)
class Answer:
    """What the client saw of one request. Seconds count from the client's send."""

    output_tokens: int
    sent_s: float
    """After the start of the replay."""
    ttft_s: float
    """Time to first token."""
    e2e_s: float
    """End-to-end: to the last token."""


async def replay(
    url: str, model: str, requests: Sequence[PlannedRequest], prioritise: Prioritise, title: str | None = None
) -> list[Answer]:
    """Send every request at its time and return the answers in the same order; a title asks for a progress bar.

    Raises:
        ReplayError: a request failed, or its answer has not the recorded length.
    """
    started = time.perf_counter()
    async with aiohttp.ClientSession(url, timeout=TIMEOUT, connector=aiohttp.TCPConnector(limit=0)) as session:
        with tqdm(total=len(requests), desc=title, unit="answer", mininterval=1, disable=title is None) as progress:

            async def send(index: int) -> Answer:
                request = requests[index]
                await asyncio.sleep(request.send_s - (time.perf_counter() - started))
                answer = await _ask(session, model, request, prioritise(index, time.time_ns() // 1000), started)
                progress.update()
                return answer

            return await asyncio.gather(*(send(index) for index in range(len(requests))))


async def _ask(
    session: aiohttp.ClientSession, model: str, request: PlannedRequest, priority: int | None, started: float
) -> Answer:
    sent = time.perf_counter()
    ttft_s = None
    last_event = b""
    async with session.post("/v1/completions", json=_body(model, request, priority)) as response:
        if response.status != 200:
            raise ReplayError(f"every request must be answered, but one got {response.status}: {await response.text()}")
        async for line in response.content:
            if line.startswith(b"data: {"):
                ttft_s = ttft_s if ttft_s is not None else time.perf_counter() - sent
                last_event = line
    return Answer(_completion_tokens(last_event, request), sent - started, ttft_s or 0.0, time.perf_counter() - sent)


def _body(model: str, request: PlannedRequest, priority: int | None) -> dict[str, object]:
    body: dict[str, object] = {
        "model": model,
        "prompt": request.prompt,
        "max_tokens": request.output_tokens,
        "ignore_eos": True,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    return body if priority is None else body | {"priority": priority}


def _completion_tokens(last_event: bytes, request: PlannedRequest) -> int:
    usage = json.loads(last_event.removeprefix(b"data: ") or b"{}").get("usage") or {}
    if usage.get("completion_tokens") != request.output_tokens:
        raise ReplayError(f"an answer must have its recorded {request.output_tokens} tokens, but its usage is {usage}.")
    return request.output_tokens
