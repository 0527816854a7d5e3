"""Features of a prompt that need no network: what it looks like and how it begins. Pure."""

import re
from collections.abc import Callable, Sequence

import numpy as np

from registry.order.certain_pairs import Values

LEADING_WORDS = (
    "add answer analyze arrange calculate can categorize change choose classify come compare compose construct convert"
    " correct count create define describe design determine develop discuss do does edit evaluate explain extract fill"
    " find for from generate give given have here how i identify if in is list make name order outline paraphrase"
    " pick please predict produce propose provide rank reword rewrite simplify sort state suggest summarize tell the"
    " there this transform translate turn use what when where which who why write you"
)
"""First words that say what is asked for; any other first word is 0 in the feature `leading_word`."""

_PLACES = {word: place for place, word in enumerate(LEADING_WORDS.split(), 1)}


def _leading_word(prompt: str) -> int:
    first = re.search(r"[a-z]+", prompt.lower())
    return _PLACES.get(first.group(), 0) if first else 0


def _count(pattern: str) -> Callable[[str], int]:
    compiled = re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    return lambda prompt: len(compiled.findall(prompt))


FEATURES: dict[str, Callable[[str], float]] = {
    "leading_word": _leading_word,
    "characters": len,
    "words": lambda prompt: len(prompt.split()),
    "characters_per_word": lambda prompt: len(prompt) / max(1, len(prompt.split())),
    "lines": lambda prompt: prompt.count("\n") + 1,
    "first_line_words": lambda prompt: len(prompt.strip().partition("\n")[0].split()),
    "last_line_words": lambda prompt: len(prompt.strip().rpartition("\n")[2].split()),
    "digits": _count(r"\d"),
    "numbers": _count(r"\d+"),
    "question_marks": _count(r"\?"),
    "quotes": _count(r"[\"“”«»]"),
    "commas": _count(","),
    "capitals": lambda prompt: sum(letter.isupper() for letter in prompt),
    "code_marks": _count(r"```|[{};=<>]|\bdef\b|\breturn\b|\bimport\b"),
    "list_items": _count(r"^\s*(?:[-*•]|\d+[.)])\s"),
    "wants_long": _count(
        r"\b(?:essay|story|article|report|poem|detail(?:ed|s)?|steps?|guide|blog|thorough|examples?)\b"
    ),
    "wants_short": _count(r"\b(?:brief(?:ly)?|short|one|single|word|sentence|phrase|title|slogan|yes|no|true|false)\b"),
    "wants_code": _count(r"\b(?:code|function|program|python|java|javascript|sql|html|script|algorithm|class)\b"),
}
"""Name of a feature -> its value for a prompt: counts, but for the category `leading_word`."""

LEADING_WORD = list(FEATURES).index("leading_word")
"""Column of the one feature that is a category."""


def lexical_features(prompts: Sequence[str]) -> Values:
    """The features of each prompt: float64 [prompts, features]."""
    return np.array([[feature(prompt) for feature in FEATURES.values()] for prompt in prompts], dtype=np.float64)
