"""The stated law of the demo: how long the answer to a request is. The log and the LLM itself both follow it.

    log expected_tokens = log(KINDS[kind].tokens * SUBJECTS[subject] * MANNERS[manner])   what the text asks for
                        + EFFORTS[effort] * KINDS[kind].thought            how much there is to think about
                        + log(factor of the application)                   told by its system prompt
                        + sum of log(factor of each tool in TOOLS)         what it may call
                        + log(JSON_FACTOR), if the answer must be JSON
    output_tokens       = exp(log expected_tokens + NOISE * z), z standard normal, rounded, within 1 and MAX_TOKENS

and no more than the request's own `max_tokens`, which cuts it. The noise is one draw a request and seed: the same
request is answered at the same length again, as by an LLM without temperature, and another seed draws another answer.
Kendall's tau-b between expected and drawn lengths is 0.7 to 0.8: what a perfect ranker would reach, and no more. One
that reads texts alone cannot reach it: it knows neither effort nor tools, form or cap.

Any request has a length: what it names of the tables counts, a kind that is none of them counts as an ordinary one, and
what else is none of them changes nothing. Only words count, neither case nor punctuation, so that an LLM reads in its
tokens what stands in the text.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from math import exp, log
from typing import TypeVar

import numpy as np

from benchmarks.demo.applications import APPLICATIONS, TOOLS
from benchmarks.demo.law_tables import EFFORTS, JSON_FACTOR, KINDS, MANNERS, ORDINARY, SUBJECTS, Kind
from traffic.split import hash_of

NOISE = 0.65
"""Standard deviation of the log of a length around what is expected."""
MAX_TOKENS = 512
"""No answer is longer, so that two cores can replay the workload."""

SYSTEM_FACTORS = {one.system: one.factor for one in APPLICATIONS if one.system}

Found = TypeVar("Found")


@dataclass(frozen=True)
class Asked:
    """What the law reads of a request."""

    text: str
    """The last message of a user."""
    system: str = ""
    """What stands before it."""
    effort: str = ""
    """Reasoning effort; empty where nothing is said of it."""
    tools: tuple[str, ...] = ()
    """Functions that may be called."""
    is_json: bool = False
    """Whether the answer must be JSON."""


def expected_tokens(asked: Asked | str, kinds: Mapping[str, Kind] = KINDS) -> float:
    """The length by the law, without noise: the score that a perfect ranker gives the request. A text asks alone."""
    asked = _as_asked(asked)
    said = words(asked.text)
    kind = _found(said, kinds, ORDINARY)
    of_text = kind.tokens * _found(said, SUBJECTS, 1.0) * _found(said, MANNERS, 1.0)
    of_effort = exp(EFFORTS.get(asked.effort, 0.0) * kind.thought)
    of_system = _found(words(asked.system), SYSTEM_FACTORS, 1.0)
    of_tools = exp(sum(log(TOOLS[name][1]) for name in asked.tools if name in TOOLS))
    return of_text * of_effort * of_system * of_tools * (JSON_FACTOR if asked.is_json else 1.0)


def drawn_tokens(asked: Asked | str, seed: int = 0, kinds: Mapping[str, Kind] = KINDS) -> int:
    """The length of the answer to the request, if nothing cuts it; the seed is any whole number."""
    asked = _as_asked(asked)
    draw = np.random.default_rng(hash_of(" ".join(_traits(asked)), seed % 2**64)).standard_normal()
    return int(np.clip(np.rint(expected_tokens(asked, kinds) * np.exp(NOISE * draw)), 1, MAX_TOKENS))


def words(text: str) -> str:
    """What the law reads of a text: its words in lower case, with a blank between them."""
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def _as_asked(asked: Asked | str) -> Asked:
    return Asked(asked) if isinstance(asked, str) else asked


def _traits(asked: Asked) -> Iterable[str]:
    """What makes two requests the same one for the law: those of a text alone are its words."""
    if asked.effort in EFFORTS:
        yield asked.effort
    yield from (name for name in asked.tools if name in TOOLS)
    if asked.is_json:
        yield "JSON"
    system = words(asked.system)
    yield from (words(known) for known in SYSTEM_FACTORS if _pattern(known).search(system))
    yield words(asked.text)


def _found(said: str, value_of: Mapping[str, Found], ordinary: Found) -> Found:
    return next((value for phrase, value in value_of.items() if _pattern(phrase).search(said)), ordinary)


@cache
def _pattern(phrase: str) -> re.Pattern[str]:
    """Finds the words of a phrase; where a template has a hole, any words may stand."""
    return re.compile(rf"\b{re.sub('subject|passage', '.+', words(phrase))}\b")
