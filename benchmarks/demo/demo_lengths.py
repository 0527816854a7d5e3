"""The embedded workload: requests of several applications whose answer lengths follow a stated law with noise.

The law stands in `length_law.py`, who asks in `applications.py`. Nothing is downloaded. No prompt states its length;
the texts in `PASSAGES` make some long prompts ask for short answers.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from math import log
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.demo.applications import APPLICATIONS, Application, Effort
from benchmarks.demo.law_tables import KINDS, MANNERS, SUBJECTS, SWITCHED
from benchmarks.demo.length_law import Asked, drawn_tokens, expected_tokens
from registry.errors import InvalidInput
from registry.request import Conversation, render_messages
from traffic.split import hash_of

PASSAGES = (
    "The market opens early. Stalls stand in two rows, and the oldest one has been in one family for generations. "
    "People come from the villages around, some on foot. By noon most of it is sold and the square is swept.",
    "The workshop is small and warm. Tools hang on the wall in the order of their use, and nobody moves them. "
    "Orders are written in a book. What cannot be repaired is taken apart, and the parts are kept in tins.",
    "In spring the path is wet and in summer it is dust. It leaves the road behind the mill, crosses the stream and "
    "climbs to a hut from which the whole valley can be seen. Few take it now, since the new road is shorter.",
)


@dataclass(frozen=True, kw_only=True)
class DemoLengthsConfig:
    """How much of the workload is written, and where."""

    out: Path
    """JSON Lines file to write."""
    prompts: int = 2000
    """How many distinct requests."""
    seed: int = 0
    """Draws the requests and their lengths."""


@dataclass(frozen=True)
class WorkloadRequest:
    """One request of the workload, and its answer."""

    messages: Conversation
    params: Mapping[str, Any]
    """What it says beside them, by the names of the API."""
    asked: Asked
    """What the law reads of it."""
    output_tokens: int
    is_cut: bool
    """Whether its own `max_tokens` ended the answer."""

    @property
    def prompt(self) -> str:
        """The text that a ranker reads."""
        return render_messages(self.messages)

    @property
    def expected_tokens(self) -> float:
        """By the law, without noise: with the cap the score of a perfect ranker."""
        return min(expected_tokens(self.asked), float(self.params.get("max_tokens", "inf")))

    @property
    def row(self) -> Mapping[str, Any]:
        """As a log of our own form has it."""
        ending = "length" if self.is_cut else "stop"
        answer = {"output_tokens": self.output_tokens, "finish_reason": ending}
        return {"messages": self.messages, **({"params": self.params} if self.params else {}), **answer}


def make_workload(num_requests: int, seed: int = 0) -> list[WorkloadRequest]:
    """Requests of distinct texts in an order that the seed draws, each application with its share of them.

    A request depends on the seed, not on `num_requests`. Of nearly all that there are, rare applications have more than
    their share.

    Raises:
        InvalidInput: more requests than the workload has.
    """
    drawn = _in_drawn_order(seed)
    if not 1 <= num_requests <= len(drawn):
        raise InvalidInput(f"the workload has 1 to {len(drawn)} prompts, but got {num_requests}; ask for fewer.")
    return [_request(application, text, seed) for application, text in drawn[:num_requests]]


def write_workload(path: Path, num_requests: int, seed: int = 0) -> None:
    """Write a workload as a length log of our own form (JSON Lines): messages, params, output tokens, ending."""
    lines = (json.dumps(one.row) for one in make_workload(num_requests, seed))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _in_drawn_order(seed: int) -> list[tuple[Application, str]]:
    """Who asks what. Where two would ask with the same text, the first does."""
    texts = [_text(*parts) for parts in product(KINDS, SUBJECTS, MANNERS)]
    lots = sorted((_lot(one, text, seed), number, text) for number, one in enumerate(APPLICATIONS) for text in texts)
    by_prompt: dict[tuple[str, str], tuple[Application, str]] = {}
    for _, number, text in lots:
        by_prompt.setdefault((APPLICATIONS[number].system, text), (APPLICATIONS[number], text))
    return list(by_prompt.values())


def _text(kind: str, subject: str, manner: str) -> str:
    passage = PASSAGES[hash_of(kind + subject) % len(PASSAGES)]
    return kind.format(subject=subject, passage=passage) + manner


def _lot(application: Application, text: str, seed: int) -> float:
    """Requests with the least lots are drawn: of each application its share (an exponential race)."""
    uniform = (hash_of(_key(application, text), seed) + 1) / 2**64
    return -log(uniform) / application.share


def _request(application: Application, text: str, seed: int) -> WorkloadRequest:
    rng = np.random.default_rng(hash_of(_key(application, text), seed))
    effort: Effort = application.efforts[rng.integers(len(application.efforts))]
    cap = application.caps[rng.integers(len(application.caps))]
    said = SWITCHED[effort] if isinstance(effort, bool) else effort or ""
    asked = Asked(text, application.system, said, application.tools, application.is_json)
    tokens = drawn_tokens(asked, seed)
    is_cut = cap is not None and cap < tokens
    messages, params = application.messages(text), application.params(effort, cap)
    return WorkloadRequest(messages, params, asked, cap if is_cut and cap else tokens, is_cut)


def _key(application: Application, text: str) -> str:
    return "\n".join([application.system, *application.tools, text])
