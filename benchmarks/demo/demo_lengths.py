"""The embedded workload: prompts of many kinds whose answer lengths follow a stated law. No download.

    expected_tokens = KINDS[kind] * SUBJECTS[subject] * MANNERS[manner]
    output_tokens   = expected_tokens * exp(NOISE * z), z standard normal, rounded, within 1 and MAX_TOKENS

Kendall's tau-b between expected and drawn lengths is 0.7 to 0.8: what a perfect ranker would reach, and no more.
No prompt states its length; the texts in `PASSAGES` make some long prompts ask for short answers.
"""

import json
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from registry.errors import InvalidInput
from traffic.split import hash_of

NOISE = 0.60
"""Standard deviation of the log of a length around what is expected."""
MAX_TOKENS = 256
"""No answer is longer, so that two cores can replay the workload."""

KINDS = {
    "Is it true that {subject} can be found on every continent?": 2.0,
    "What is the Spanish word for {subject}?": 3.0,
    "Which century first knew {subject}?": 4.0,
    "Here are some notes.\n\n{passage}\n\nAre these notes about {subject}?": 2.5,
    "Think up a slogan for a shop that is all about {subject}.": 9.0,
    "Define {subject}.": 16.0,
    "Here are some notes.\n\n{passage}\n\nGive them a title that mentions {subject}.": 7.0,
    "Write a quiz question on {subject}, with its answer.": 22.0,
    "What do people like about {subject}?": 30.0,
    "Write a short poem about {subject}.": 42.0,
    "Write a Python function that counts how often {subject} come up in a text.": 55.0,
    "Compare {subject} with what came before.": 65.0,
    "Draft a mail that asks a colleague for advice on {subject}.": 75.0,
    "Explain how {subject} came about.": 85.0,
    "Give me a step by step guide for somebody who starts with {subject}.": 110.0,
    "Tell me a story in which {subject} save the day.": 140.0,
}
"""Template of a prompt -> its expected tokens on an ordinary subject."""

SUBJECTS = {
    **dict.fromkeys(("spoons", "buttons", "umbrellas", "candles", "pencils", "socks", "doors", "mirrors"), 0.6),
    **dict.fromkeys(("apples", "onions", "olives", "noodles", "pancakes", "lemons", "herbs", "berries"), 0.8),
    **dict.fromkeys(("horses", "owls", "bees", "whales", "foxes", "spiders", "penguins", "turtles"), 1.0),
    **dict.fromkeys(
        ("bicycles", "trains", "bridges", "windmills", "sailing boats", "telescopes", "clocks", "lifts"), 1.2
    ),
    **dict.fromkeys(
        ("glaciers", "volcanoes", "comets", "rivers", "deserts", "coral reefs", "tides", "earthquakes"), 1.4
    ),
    **dict.fromkeys(("parliaments", "currencies", "guilds", "treaties", "empires", "universities"), 1.7),
}
"""What a prompt is about -> how much there is to say: household things little, institutions much."""

MANNERS = {
    "": 1.0,
    " Keep it plain.": 0.7,
    " A child will read it.": 0.85,
    " Please add examples.": 1.4,
    " Be thorough.": 1.7,
}
"""How the answer should be -> what that does to its length."""

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
    """Write a workload as a length log (JSON Lines) with the columns `prompt` and `output_tokens`."""
    rows = make_workload(num_prompts, seed)
    lines = (json.dumps({"prompt": row.prompt, "output_tokens": row.output_tokens}) for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _prompt(kind: str, subject: str, manner: str, seed: int) -> WorkloadPrompt:
    passage = PASSAGES[hash_of(kind + subject) % len(PASSAGES)]
    prompt = kind.format(subject=subject, passage=passage) + manner
    expected_tokens = KINDS[kind] * SUBJECTS[subject] * MANNERS[manner]
    noise = np.exp(NOISE * np.random.default_rng(hash_of(prompt, seed)).standard_normal())
    output_tokens = int(np.clip(np.rint(expected_tokens * noise), 1, MAX_TOKENS))
    return WorkloadPrompt(prompt, expected_tokens, output_tokens)
