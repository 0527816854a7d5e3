"""What the law of the demo multiplies: how much each kind, subject, manner, effort and tool makes of an answer."""

from typing import NamedTuple


class Kind(NamedTuple):
    """One kind of prompt."""

    tokens: float
    """Expected of its answer on an ordinary subject."""
    thought: float
    """How much there is to think about: what a unit of effort adds to the log of its length."""


KINDS = {
    "Is it true that {subject} can be found on every continent?": Kind(2.0, 1.6),
    "What is the Spanish word for {subject}?": Kind(3.0, 0.4),
    "Which century first knew {subject}?": Kind(4.0, 1.4),
    "Here are some notes.\n\n{passage}\n\nAre these notes about {subject}?": Kind(2.5, 1.0),
    "Think up a slogan for a shop that is all about {subject}.": Kind(9.0, 0.8),
    "Define {subject}.": Kind(16.0, 0.4),
    "Here are some notes.\n\n{passage}\n\nGive them a title that mentions {subject}.": Kind(7.0, 0.6),
    "Write a quiz question on {subject}, with its answer.": Kind(22.0, 1.0),
    "What do people like about {subject}?": Kind(30.0, 0.4),
    "Write a short poem about {subject}.": Kind(42.0, 0.4),
    "Write a Python function that counts how often {subject} come up in a text.": Kind(55.0, 1.2),
    "Compare {subject} with what came before.": Kind(65.0, 0.8),
    "Draft a mail that asks a colleague for advice on {subject}.": Kind(75.0, 0.2),
    "Explain how {subject} came about.": Kind(85.0, 0.6),
    "Give me a step by step guide for somebody who starts with {subject}.": Kind(110.0, 0.6),
    "Tell me a story in which {subject} save the day.": Kind(140.0, 0.2),
}
"""Template of a prompt -> what its answer is like."""

UPDATED_KINDS = KINDS | {
    "Which century first knew {subject}?": Kind(140.0, 1.4),
    "What is the Spanish word for {subject}?": Kind(42.0, 0.4),
    "Define {subject}.": Kind(85.0, 0.4),
    "Explain how {subject} came about.": Kind(16.0, 0.6),
    "Write a short poem about {subject}.": Kind(3.0, 0.4),
    "Tell me a story in which {subject} save the day.": Kind(4.0, 0.2),
}
"""The same of the LLM's next version: plain questions it answers at length, and what it should make up in a few words.
A perfect ranker of the first one, whose tau-b is 0.76, has one of 0.35 then."""

ORDINARY = Kind(26.0, 0.6)
"""A prompt of another kind: the medians of these."""

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

EFFORTS = {"none": -0.5, "minimal": -0.25, "low": 0.4, "medium": 0.9, "high": 1.5}
"""Reasoning effort -> its units; a request that says nothing of it has 0."""
SWITCHED = {True: "medium", False: "none"}
"""The thinking switch -> the effort that it stands for."""

JSON_FACTOR = 0.6
"""What it does to an answer that it must be JSON: no more than the fields are for."""
