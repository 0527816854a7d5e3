"""Users of a soak: independent ones at a steady rate, some of whom leave before their answer is whole."""

import asyncio
import json
import random
import time
from dataclasses import dataclass, field

import httpx

DISCONNECTS = 0.05
STREAMED = 0.3
MEAN_OUTPUT_TOKENS = 60
MAX_OUTPUT_TOKENS = 400


@dataclass
class Tally:
    """What became of the requests."""

    finished: int = 0
    disconnected: int = 0
    lost: list[str] = field(default_factory=list)
    """Why, one a request: no whole answer, though the client stayed."""

    @property
    def sent(self) -> int:
        return self.finished + self.disconnected + len(self.lost)


class Users:
    """Send requests to a server, and see to it that each gets the tokens that it asked for."""

    def __init__(self, url: str, seed: int = 0) -> None:
        self.tally = Tally()
        self.fault: str | None = None
        """A trap's word that goes into every second prompt."""
        self._random = random.Random(seed)
        # No connection is used again: the server closes idle ones, at times just when the next request comes.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        self._client = httpx.AsyncClient(base_url=url, timeout=600, limits=limits)

    async def send_at(self, rate_per_s: float, seconds: float) -> None:
        """Send at independent times for so long; returns when all have their answers."""
        deadline_s = time.monotonic() + seconds
        async with asyncio.TaskGroup() as requests:
            while time.monotonic() < deadline_s:
                requests.create_task(self.send())
                await asyncio.sleep(self._random.expovariate(rate_per_s))

    async def requests_per_s(self, num_requests: int) -> float:
        """How many answers a second there are when the server always has enough to do."""
        started_s = time.monotonic()
        await asyncio.gather(*(self.send(stays=True) for _ in range(num_requests)))
        return num_requests / (time.monotonic() - started_s)

    async def send(self, prompt: str | None = None, stays: bool = False) -> None:
        """Send one request and tally what becomes of it."""
        leaves = not stays and self._random.random() < DISCONNECTS
        drawn_tokens = 1 + int(self._random.expovariate(1 / MEAN_OUTPUT_TOKENS))
        output_tokens = MAX_OUTPUT_TOKENS if leaves else min(drawn_tokens, MAX_OUTPUT_TOKENS)
        body = {
            "model": "demo-llm",
            "prompt": prompt or self._prompt(),
            "max_tokens": output_tokens,
            "ignore_eos": True,
            "stream": self._random.random() < STREAMED,
            "stream_options": None,
        }
        if body["stream"]:
            body["stream_options"] = {"include_usage": True}
        try:
            async with asyncio.timeout(self._random.uniform(0, 1) if leaves else None):
                await self._ask(body)
            self.tally.finished += 1
        except TimeoutError:
            self.tally.disconnected += 1
        except (httpx.HTTPError, AssertionError, ValueError, KeyError) as error:
            self.tally.lost.append(f"{type(error).__name__}: {error}"[:300])

    def _prompt(self) -> str:
        words = ["one"] * self._random.randint(1, 80)
        if self.fault is not None and self._random.random() < 0.5:
            words.append(self.fault)
        return " ".join(words)

    async def _ask(self, body: dict[str, object]) -> None:
        async with self._client.stream("POST", "/v1/completions", json=body) as response:
            text = (await response.aread()).decode()
        assert response.status_code == 200, f"{response.status_code}: {text}"
        if body["stream"]:
            *events, done = [line.removeprefix("data: ") for line in text.splitlines() if line]
            assert done == "[DONE]", done
            text = events[-1]
        tokens = json.loads(text)["usage"]["completion_tokens"]
        assert tokens == body["max_tokens"], f"{tokens} of {body['max_tokens']} tokens"
