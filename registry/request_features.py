"""What a ranker reads of one request: its text, its tools, and a fixed, named vector, the same in every place. Pure.

Some features are told by the text alone, the others by what the request asks for, whatever its API calls it. What
cannot be understood is missing, never an error. It runs in event loops, so that nothing large is read whole.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from struct import pack, unpack
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from registry.features.asked_features import ASKED_FEATURES, asked_features
from registry.features.text_features import TEXT_FEATURES, text_features
from registry.window.tool_text import tool_text

FEATURES_VERSION = "request-1"
"""Names the behaviour of these features. A ranker that was trained on those of another version refuses to load."""

FEATURES = TEXT_FEATURES + ASKED_FEATURES
"""The names of all, in the order of every vector."""

CAP_FEATURE = "log_max_tokens"
"""What the request's limit of tokens tells. Where limits impose recorded lengths, it tells the truth."""

Feature = float | None
"""None where it is missing: unlike NaN it equals itself, so that views can be compared and looked up."""
Features = tuple[Feature, ...]


@dataclass(frozen=True, slots=True)
class RequestView:
    """What a ranker reads of one request. Two of the same text with other features or tools are two requests."""

    text: str
    features: Features
    """In the order of `FEATURES`, each exact in 32 bits."""
    tools: str = ""
    """The tools that it may call, in few words (`registry.window.tool_text`)."""

    @property
    def vector(self) -> npt.NDArray[np.float32]:
        """The features as a graph takes them, [features]; NaN where one is missing."""
        return np.array(self.features, dtype=np.float32)

    def without(self, *names: str) -> Self:
        """The same request with these features missing."""
        blank = {FEATURES.index(name) for name in names}
        return replace(self, features=tuple(None if at in blank else one for at, one in enumerate(self.features)))


Readable = str | RequestView
"""What a ranker can be asked of; of a text alone nobody knows what else its request says."""


def view_of(text: str, params: Mapping[str, Any] | None = None) -> RequestView:
    """What a ranker reads of a request.

    `params` are the fields of its body: all of them, or those that a log has. An empty one asks for nothing; without
    any, nobody knows what is asked for, and that is missing. Turns are counted in the text, which has them in every
    place. A feature that a network was trained without does not move it; one that is missing now and never was in its
    training counts as the mean there.
    """
    return RequestView(text, exact(text_features(text)) + asked_of(params), tools_of(params))


def as_view(readable: Readable) -> RequestView:
    """The view itself, or that of a text alone."""
    return view_of(readable) if isinstance(readable, str) else readable


def asked_of(params: Any) -> Features:
    """The part of the features that the text does not tell, [len(ASKED_FEATURES)]."""
    return exact(asked_features(params)) if isinstance(params, Mapping) else UNKNOWN


def tools_of(params: Any) -> str:
    """The tools that a request may call, as text."""
    return tool_text(params.get("tools")) if isinstance(params, Mapping) else ""


def matrix_of(views: Iterable[RequestView]) -> npt.NDArray[np.float32]:
    """The vectors of some requests, [views, features]; NaN where a feature is missing."""
    rows = (np.nan if one is None else one for view in views for one in view.features)
    return np.fromiter(rows, dtype=np.float32).reshape(-1, len(FEATURES))


def exact(values: Sequence[Feature]) -> Features:
    """Features in 32 bits, as networks and logs have them, so that the same request is the same view everywhere."""
    form = f"{len(values)}f"
    rounded = unpack(form, pack(form, *(nan if one is None else one for one in values)))
    return tuple(None if one != one else one for one in rounded)


UNKNOWN: Features = (None,) * len(ASKED_FEATURES)
"""What is asked for where nobody knows it."""
NOTHING_ASKED: Features = exact(asked_features({}))
"""Of a request that asks for none of it."""
