"""What is asked: the body of each request, and its identity, which no start and no address changes. Pure."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

from traffic.collect.config import CollectConfig
from traffic.rows.rules import SESSION

CHAT, COMPLETIONS = "/chat/completions", "/completions"


class Question(NamedTuple):
    """One request."""

    request_id: str
    """Digest of all that is asked for but the seed, and the number of the sample, from 0."""
    body: Mapping[str, Any]
    session: str | None = None
    """That the prompt came from: prompts of one session train or test together."""


@dataclass(frozen=True)
class Questions:
    """Every prompt, as often as it is to be answered: first all of them once, so that an early end leaves a whole."""

    config: CollectConfig
    model: str
    asked: Sequence[str]
    """JSON of each prompt that there is (`prompt_files.py`)."""
    digests: Mapping[int, str]
    """Of those that are asked, by their place among them, in the order in which they are asked."""

    @classmethod
    def of(cls, config: CollectConfig, model: str, asked: Sequence[str], places: Iterable[int]) -> "Questions":
        """Those at some places, with their identities."""
        return cls(config, model, asked, {place: digest_of(body_of(config, model, asked[place])) for place in places})

    def __len__(self) -> int:
        return len(self.digests) * self.config.samples

    @property
    def path(self) -> str:
        """Of the route that takes them, behind the base address."""
        return CHAT if self.config.api == "chat" else COMPLETIONS

    def num_open(self, settled: Collection[str]) -> int:
        """How many are not settled."""
        return sum(1 for _ in self._open(settled))

    def open(self, settled: Collection[str]) -> Iterator[Question]:
        """Those that are not settled."""
        for sample, place in self._open(settled):
            asked = self.asked[place]
            body = _seeded(body_of(self.config, self.model, asked), self.config.seed, sample)
            yield Question(_request_id(self.digests[place], sample), body, json.loads(asked).get(SESSION))

    def _open(self, settled: Collection[str]) -> Iterator[tuple[int, int]]:
        for sample in range(self.config.samples):
            for place, digest in self.digests.items():
                if _request_id(digest, sample) not in settled:
                    yield sample, place


def body_of(config: CollectConfig, model: str, asked: str) -> dict[str, Any]:
    """The JSON of a request but for its seed; the prompt's own fields come before the settings' `extra`."""
    fields = {
        "model": model,
        **json.loads(asked),
        "max_tokens": config.max_tokens,
        "temperature": config.temperature,
        "top_p": config.top_p,
        **config.extra_fields,
    }
    return {name: value for name, value in fields.items() if value is not None and name != SESSION}


def digest_of(body: Mapping[str, Any]) -> str:
    """A digest of what is asked, 32 characters, whatever the order of the fields."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _request_id(digest: str, sample: int) -> str:
    return f"{digest}-{sample}"


def _seeded(body: dict[str, Any], seed: int, sample: int) -> dict[str, Any]:
    return body if seed < 0 else {**body, "seed": seed + sample}
