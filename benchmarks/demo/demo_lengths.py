"""The embedded workload: prompts of many kinds whose answer lengths follow a stated law with noise. No download.

The law stands in `length_law.py`. No prompt states its length; the texts in `PASSAGES` make some long prompts ask for
short answers.
"""

import json
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from benchmarks.demo.length_law import KINDS, MANNERS, SUBJECTS, drawn_tokens, expected_tokens
from registry.errors import InvalidInput
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
    """How many distinct prompts."""
    seed: int = 0
    """Draws the prompts and their lengths."""


@dataclass(frozen=True)
class WorkloadPrompt:
    """One prompt of the workload."""

    prompt: str
    expected_tokens: float
    """By the law, without noise: the scores of a perfect ranker."""
    output_tokens: int


def make_workload(num_prompts: int, seed: int = 0) -> list[WorkloadPrompt]:
    """Distinct prompts in an order that the seed draws. A prompt's length depends on the seed, not on `num_prompts`.

    Raises:
        InvalidInput: more prompts than the workload has.
    """
    combinations = list(product(KINDS, SUBJECTS, MANNERS))
    if not 1 <= num_prompts <= len(combinations):
        raise InvalidInput(f"the workload has 1 to {len(combinations)} prompts, but got {num_prompts}; ask for fewer.")
    prompts = [_prompt(*combination, seed) for combination in combinations]
    return sorted(prompts, key=lambda one: hash_of(one.prompt, seed))[:num_prompts]


def write_workload(path: Path, num_prompts: int, seed: int = 0) -> None:
    """Write a workload as a length log (JSON Lines): `prompt`, `output_tokens`, and that the answer ended by itself."""
    rows = make_workload(num_prompts, seed)
    lines = (
        json.dumps({"prompt": row.prompt, "output_tokens": row.output_tokens, "finish_reason": "stop"}) for row in rows
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _prompt(kind: str, subject: str, manner: str, seed: int) -> WorkloadPrompt:
    passage = PASSAGES[hash_of(kind + subject) % len(PASSAGES)]
    prompt = kind.format(subject=subject, passage=passage) + manner
    return WorkloadPrompt(prompt, expected_tokens(prompt), drawn_tokens(prompt, seed))
