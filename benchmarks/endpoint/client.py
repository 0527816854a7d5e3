"""Sends planned requests to an OpenAI-compatible endpoint and measures each answer."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

import aiohttp

from benchmarks.endpoint.client_limits import allow_connections
from benchmarks.endpoint.endpoint import Endpoint
from benchmarks.endpoint.plan import PlannedRequest
from benchmarks.endpoint.priorities import Prioritise
from benchmarks.endpoint.request_body import CHAT, body_of, path_of
from benchmarks.endpoint.server_sent_events import EventDecoder
from benchmarks.endpoint.streamed_answer import StreamedAnswer
from benchmarks.failures import ReplayError
from terminal.progress import progress

TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=30)
"""A replayed queue may be long; only an unreachable server is an error."""

Clock = Callable[[], float]
"""Seconds since any one moment; it never goes back."""


@dataclass(frozen=True)
class Answer:
    """What the client saw of one request.

    Seconds count from when the request was due by the plan, whatever kept the client from sending it then: the one who
    asks has waited since (the cure for coordinated omission, after Gil Tene).
    """

    output_tokens: int
    prompt_tokens: int
    """As the endpoint counts them."""
    sent_s: float
    """When it was due, after the start of the replay."""
    lag_s: float
    """By how much later the client sent it; a part of all the times below."""
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
    clock: Clock = time.perf_counter,
) -> list[Answer]:
    """Send every request at its time and return the answers in the same order; with a title progress is shown.

    Each call has a prefix cache of its own, where the endpoint can keep them apart.

    Raises:
        ReplayError: a request failed, or its answer has not the length that was imposed.
    """
    allow_connections(len(requests))
    async with aiohttp.ClientSession(
        timeout=TIMEOUT, headers=endpoint.headers, connector=aiohttp.TCPConnector(limit=0)
    ) as session:
        sender = _Sender(endpoint, session, clock)
        with progress(title, "answers", len(requests)) if title else nullcontext() as advance:

            async def send(index: int) -> Answer:
                answer = await sender.send(requests[index], partial(prioritise, index))
                if advance:
                    advance()
                return answer

            return await asyncio.gather(*(send(index) for index in range(len(requests))))


class _Sender:
    """Sends the requests of one replay, which begins when it is made."""

    def __init__(self, endpoint: Endpoint, session: aiohttp.ClientSession, clock: Clock) -> None:
        self._endpoint = endpoint
        self._session = session
        self._cache_salt = uuid4().hex
        self._clock = clock
        self._started_s = clock()

    async def send(self, request: PlannedRequest, prioritise: Callable[[int], int | None]) -> Answer:
        await asyncio.sleep(-self._since_s(request.send_s))
        priority = prioritise(time.time_ns() // 1000)
        body = body_of(self._endpoint, request, priority, self._cache_salt)
        answer = await self._ask(path_of(request), body, request.send_s)
        if request.limit_tokens is None and answer.output_tokens != request.output_tokens:
            raise ReplayError(
                f"an answer must have its recorded {request.output_tokens} tokens, but has {answer.output_tokens};"
                " if the endpoint knows no ignore_eos, give impose_lengths=off."
            )
        return answer

    async def _ask(self, path: str, body: dict[str, object], due_s: float) -> Answer:
        lag_s = max(self._since_s(due_s), 0.0)
        streamed = StreamedAnswer()
        async with self._session.post(f"{self._endpoint.url}{path}", json=body) as response:
            accepted_s = self._since_s(due_s)
            if response.status != 200:
                raise ReplayError(_refusal(response.status, await response.text(), path))
            async for event in _events(response):
                streamed.take(event, self._since_s(due_s))
        ended_s = self._since_s(due_s)
        output_tokens, prompt_tokens = streamed.usage()
        first_s, last_s = streamed.first_token_s or ended_s, streamed.last_token_s or ended_s
        return Answer(output_tokens, prompt_tokens, due_s, lag_s, accepted_s, first_s, last_s)

    def _since_s(self, due_s: float) -> float:
        return self._clock() - self._started_s - due_s


def _refusal(status: int, text: str, path: str) -> str:
    hint = "; if the model has no chat template for such messages, give api=completions" if path == CHAT else ""
    return f"every request must be answered, but one got {status}: {text}{hint}"


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
