"""Sends planned requests to an OpenAI-compatible endpoint and measures each answer."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import aiohttp
from tqdm import tqdm

from benchmarks.endpoint.client_limits import allow_connections
from benchmarks.endpoint.endpoint import Endpoint
from benchmarks.endpoint.plan import PlannedRequest
from benchmarks.endpoint.priorities import Prioritise
from benchmarks.endpoint.server_sent_events import EventDecoder
from benchmarks.failures import ReplayError

TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=30)
"""A replayed queue may be long; only an unreachable server is an error."""


@dataclass(frozen=True)
class Answer:
    """What the client saw of one request. Seconds count from the client's send."""

    output_tokens: int
    prompt_tokens: int
    """As the endpoint counts them."""
    sent_s: float
    """After the start of the replay."""
    lag_s: float
    """By how much the client sent it later than planned."""
    accepted_s: float
    """To the head of the answer: vLLM sends it once the request is taken in, before the engine has it; a proxy may hold
    it back until the first token."""
    ttft_s: float
    """Time to first token."""
    e2e_s: float
    """End-to-end: to the last token."""


async def replay(
    endpoint: Endpoint,
    requests: Sequence[PlannedRequest],
    prioritise: Prioritise,
    title: str | None = None,
    imposes_lengths: bool = True,
) -> list[Answer]:
    """Send every request at its time and return the answers in the same order; a title asks for a progress bar.

    Raises:
        ReplayError: a request failed, or its answer has not the recorded length though that was imposed.
    """
    allow_connections(len(requests))
    started = time.perf_counter()
    async with aiohttp.ClientSession(
        timeout=TIMEOUT, headers=endpoint.headers, connector=aiohttp.TCPConnector(limit=0)
    ) as session:
        with tqdm(total=len(requests), desc=title, unit="answer", mininterval=1, disable=title is None) as progress:

            async def send(index: int) -> Answer:
                request = requests[index]
                await asyncio.sleep(request.send_s - (time.perf_counter() - started))
                body = _body(endpoint.model, request, prioritise(index, time.time_ns() // 1000), imposes_lengths)
                answer = await _ask(session, endpoint.url, body, request.send_s, started)
                if imposes_lengths and answer.output_tokens != request.output_tokens:
                    raise ReplayError(
                        f"an answer must have its recorded {request.output_tokens} tokens, but has"
                        f" {answer.output_tokens}; if the endpoint knows no ignore_eos, give impose_lengths=off."
                    )
                progress.update()
                return answer

            return await asyncio.gather(*(send(index) for index in range(len(requests))))


async def _ask(
    session: aiohttp.ClientSession, url: str, body: dict[str, object], planned_s: float, started: float
) -> Answer:
    sent = time.perf_counter()
    ttft_s = None
    last_event = usage_event = ""
    async with session.post(f"{url}/v1/completions", json=body) as response:
        accepted_s = time.perf_counter() - sent
        if response.status != 200:
            raise ReplayError(f"every request must be answered, but one got {response.status}: {await response.text()}")
        async for last_event in _events(response):
            ttft_s = ttft_s if ttft_s is not None else time.perf_counter() - sent
            usage_event = last_event if '"completion_tokens"' in last_event else usage_event
    e2e_s = time.perf_counter() - sent
    output_tokens, prompt_tokens = _usage(usage_event or last_event)
    sent_s = sent - started
    lag_s = max(sent_s - planned_s, 0.0)
    return Answer(output_tokens, prompt_tokens, sent_s, lag_s, accepted_s, ttft_s or e2e_s, e2e_s)


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[str]:
    """The JSON objects that an answer streams; a closing `[DONE]` is none."""
    decoder = EventDecoder()
    async for chunk in response.content.iter_any():
        for data in decoder.decode(chunk):
            if data.startswith("{"):
                yield data
    for data in decoder.decode(b"", is_last=True):
        if data.startswith("{"):
            yield data


def _body(model: str, request: PlannedRequest, priority: int | None, imposes_lengths: bool) -> dict[str, object]:
    body: dict[str, object] = {
        "model": model,
        "prompt": request.prompt,
        "max_tokens": request.output_tokens,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    body |= {"ignore_eos": True} if imposes_lengths else {}
    return body if priority is None else body | {"priority": priority}


def _usage(event: str) -> tuple[int, int]:
    """Tokens of the answer and of its prompt; an answer that ended at once counts one token."""
    usage = json.loads(event or "{}").get("usage") or {}
    if "completion_tokens" not in usage:
        raise ReplayError(f"an event of an answer must tell its usage, but the last one was {event[:200]!r}.")
    return max(int(usage["completion_tokens"]), 1), int(usage.get("prompt_tokens", 0))
