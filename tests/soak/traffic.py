"""Users of a soak: independent ones of several kinds, some of whom leave before their answer is whole."""

import asyncio
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

DISCONNECTS = 0.05
STREAMED = 0.3
MEAN_OUTPUT_TOKENS = 60
MAX_OUTPUT_TOKENS = 400
MODELS = ("demo-llm", "wordy")
PROMPTS_A_LIST = 3
ASK_AGAIN_S = (1.0, 3.0)
"""How long a user waits who was turned away, between these."""


class TurnedAway(Exception):
    """No answer, for a reason that the server gave, or that is known: it is being started anew."""


@dataclass
class Tally:
    """What became of the requests."""

    finished: int = 0
    disconnected: int = 0
    turned_away: int = 0
    """Times that somebody was told to come back later, and did."""
    lost: list[str] = field(default_factory=list)
    """Why, one a request: no whole answer, though the client stayed."""
    kinds: Counter[str] = field(default_factory=Counter)

    @property
    def sent(self) -> int:
        return self.finished + self.disconnected + len(self.lost)


class Users:
    """Send requests to a server, and see to it that each gets the tokens that it asked for."""

    def __init__(self, url: str, seed: int = 0) -> None:
        self.tally = Tally()
        self.fault: str | None = None
        """A trap's word that goes into every second prompt."""
        self.is_down = False
        """Whether the server is known to stop: users who find no connection come back."""
        self.is_cut = False
        """Whether its engine is known to have been killed: users whose answers were cut come back, too."""
        self._random = random.Random(seed)
        self._client = httpx.AsyncClient(base_url=url, timeout=600, limits=httpx.Limits(max_connections=None))

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
        """Send one request, again if it is turned away, and tally what becomes of it."""
        leaves = not stays and self._random.random() < DISCONNECTS
        path, body, output_tokens = self._request(prompt or self._prompt(), leaves)
        self.tally.kinds[f"{path}{' list' if isinstance(body.get('prompt'), list) else ''}"] += 1
        try:
            async with asyncio.timeout(self._random.uniform(0, 1) if leaves else None):
                await self._insist(path, body, output_tokens)
            self.tally.finished += 1
        except TimeoutError:
            self.tally.disconnected += 1
        except (httpx.HTTPError, AssertionError, ValueError, KeyError, IndexError) as error:
            self.tally.lost.append(f"{path}: {type(error).__name__}: {error}"[:300])

    def _request(self, prompt: str, leaves: bool) -> tuple[str, dict[str, Any], int]:
        """Path, body, and the tokens that all answers together must have."""
        drawn_tokens = 1 + int(self._random.expovariate(1 / MEAN_OUTPUT_TOKENS))
        max_tokens = MAX_OUTPUT_TOKENS if leaves else min(drawn_tokens, MAX_OUTPUT_TOKENS)
        body: dict[str, Any] = {"model": self._random.choice(MODELS), "max_tokens": max_tokens, "ignore_eos": True}
        if self._random.random() < STREAMED:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        kind = self._random.choice(("text", "text", "chat", "list"))
        if kind == "chat":
            return "/v1/chat/completions", body | {"messages": self._turns(prompt)}, max_tokens
        if kind == "list":
            prompts = [prompt] * PROMPTS_A_LIST
            max_tokens = -(-max_tokens // PROMPTS_A_LIST)
            return "/v1/completions", body | {"prompt": prompts, "max_tokens": max_tokens}, max_tokens * PROMPTS_A_LIST
        return "/v1/completions", body | {"prompt": prompt}, max_tokens

    def _turns(self, prompt: str) -> list[dict[str, str]]:
        earlier = [{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}]
        return [*(earlier if self._random.random() < 0.5 else []), {"role": "user", "content": prompt}]

    def _prompt(self) -> str:
        words = ["one"] * self._random.randint(1, 80)
        if self.fault is not None and self._random.random() < 0.5:
            words.append(self.fault)
        return " ".join(words)

    async def _insist(self, path: str, body: dict[str, Any], output_tokens: int) -> None:
        while True:
            try:
                return await self._ask(path, body, output_tokens)
            except TurnedAway:
                self.tally.turned_away += 1
                await asyncio.sleep(self._random.uniform(*ASK_AGAIN_S))

    async def _ask(self, path: str, body: dict[str, Any], output_tokens: int) -> None:
        has_begun = False
        try:
            async with self._client.stream("POST", path, json=body) as response:
                has_begun = True
                text = (await response.aread()).decode()
        except httpx.TransportError as error:
            if self.is_cut or (self.is_down and not has_begun):
                raise TurnedAway from error
            raise
        if response.status_code == 503 or (self.is_cut and not _is_whole(response, text)):
            raise TurnedAway
        assert response.status_code == 200, f"{response.status_code}: {text}"
        assert (tokens := _tokens_of(text, "stream" in body)) == output_tokens, f"{tokens} of {output_tokens} tokens"


def _is_whole(response: httpx.Response, text: str) -> bool:
    """Whether an answer came to its end; one that the engine's death cut says so, or stops."""
    if "event-stream" in response.headers.get("content-type", ""):
        return text.rstrip().endswith("[DONE]") and '"error"' not in text
    return response.status_code < 500


def _tokens_of(text: str, is_streamed: bool) -> int:
    if is_streamed:
        *events, done = [line.removeprefix("data: ") for line in text.splitlines() if line]
        assert done == "[DONE]", done
        text = events[-1]
    return int(json.loads(text)["usage"]["completion_tokens"])
