"""The stated law of the demo: how long the answer to a prompt is. The workload's log and the LLM itself both follow it.

    expected_tokens = KINDS[kind] * SUBJECTS[subject] * MANNERS[manner]
    output_tokens   = expected_tokens * exp(NOISE * z), z standard normal, rounded, within 1 and MAX_TOKENS

The noise is one draw a prompt and seed: the same request is answered at the same length again, as by an LLM without
temperature, and another seed draws another answer. Kendall's tau-b between expected and drawn lengths is 0.7 to 0.8:
what a perfect ranker would reach, and no more.

Any prompt has a length: what it names of these tables counts, a kind that is none of them counts as an ordinary one,
and a subject or a manner that is none of them as 1. Only words count, neither case nor punctuation, so that an LLM
reads in its tokens what stands in the text.
"""

import re
from collections.abc import Mapping
from functools import cache

import numpy as np

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

ORDINARY_TOKENS = 26.0
"""Of a prompt of another kind: the median of these."""

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
    " Keep it plain.": 0.7,
    " A child will read it.": 0.85,
    " Please add examples.": 1.4,
    " Be thorough.": 1.7,
    "": 1.0,
}
"""How the answer should be -> what that does to its length."""


def expected_tokens(prompt: str) -> float:
    """The length by the law, without noise: the score that a perfect ranker gives the prompt."""
    said = words(prompt)
    return _found(said, KINDS, ORDINARY_TOKENS) * _found(said, SUBJECTS, 1.0) * _found(said, MANNERS, 1.0)


def drawn_tokens(prompt: str, seed: int = 0) -> int:
    """The length of the answer to the prompt; the seed is any whole number."""
    draw = np.random.default_rng(hash_of(words(prompt), seed % 2**64)).standard_normal()
    return int(np.clip(np.rint(expected_tokens(prompt) * np.exp(NOISE * draw)), 1, MAX_TOKENS))


def words(text: str) -> str:
    """What the law reads of a text: its words in lower case, with a blank between them."""
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def _found(said: str, factor_of: Mapping[str, float], ordinary: float) -> float:
    return next((factor for phrase, factor in factor_of.items() if _pattern(phrase).search(said)), ordinary)


@cache
def _pattern(phrase: str) -> re.Pattern[str]:
    """Finds the words of a phrase; where a template has a hole, any words may stand."""
    return re.compile(rf"\b{re.sub('subject|passage', '.+', words(phrase))}\b")
