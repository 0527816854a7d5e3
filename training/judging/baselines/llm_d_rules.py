"""Rules on what a request asks for, as llm-d's router ships them as `outlen-bucket`: no model, no text. Pure.

Written after that plugin's documentation (llm-d-router, `requestheader/outlenbucket/README.md`, 2026), on the features
that a ranker reads, so that every API's names count. What no rule knows is UNKNOWN and stands between SHORT and LONG;
within a bucket nobody is before another.
"""

from collections.abc import Mapping
from enum import IntEnum
from math import log1p

from registry.features.asked_features import ASKED_FEATURES, CHOICES
from registry.request_features import Feature, Features

LONG_BUDGET_TOKENS = 4000
"""A budget for thinking above this makes a request LONG."""
SHORT_CAP_TOKENS = 500
"""A cap below this makes a request SHORT."""
LONG_FLOOR_TOKENS = 2000
"""No answer that is capped below this is LONG."""


class Bucket(IntEnum):
    """How long an answer will be; the lower one is served sooner."""

    SHORT = -1
    UNKNOWN = 0
    LONG = 1


def bucket_of(asked: Features) -> Bucket:
    """The bucket of a request by its `ASKED_FEATURES`: the first rule that fits decides; a low cap takes LONG back."""
    of = dict(zip(ASKED_FEATURES, asked, strict=True))
    if _is_long(of):
        return Bucket.UNKNOWN if _is_below(of["log_max_tokens"], LONG_FLOOR_TOKENS) else Bucket.LONG
    must_call = (of["tool_choice"] or 0) >= CHOICES["required"]
    may_call = bool(of["log_tools"]) and of["tool_choice"] != CHOICES["none"] and not _thinks(of)
    if must_call or may_call or of["continues_message"] or _is_below(of["log_max_tokens"], SHORT_CAP_TOKENS):
        return Bucket.SHORT
    return Bucket.UNKNOWN


def _thinks(of: Mapping[str, Feature]) -> bool | None:
    """Whether reasoning is switched on; None where the request does not say."""
    if of["thinking"] is not None:
        return of["thinking"] > 0
    return None if of["reasoning_effort"] is None else of["reasoning_effort"] > 0


def _is_long(of: Mapping[str, Feature]) -> bool:
    switch, budget = _thinks(of), of["log_thinking_budget"]
    return switch is True or (switch is None and budget is not None and not _is_below(budget, LONG_BUDGET_TOKENS + 1))


def _is_below(log_tokens: Feature, tokens: int) -> bool:
    """Halfway between two whole numbers, which rounding does not reach."""
    return log_tokens is not None and log_tokens < log1p(tokens - 0.5)
