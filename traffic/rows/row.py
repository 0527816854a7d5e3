"""A row of traffic: one request and what became of it, the one form that every reader yields."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from registry.request import Conversation
from traffic.cells.endings import Ending

LeftOut = Literal["failed", "no_length", "empty_answers", "no_text"]
"""Why a row has no label."""


class Row(NamedTuple):
    """One request. All but a text and a length may be missing."""

    text: str | None
    """What a ranker reads; None where there is nothing that it can read."""
    output_tokens: int | None
    ending: Ending
    model: str | None = None
    group: str | None = None
    arrival_s: float | None = None
    prompt_tokens: int | None = None
    params: Mapping[str, Any] | None = None
    """What was asked for beside the text (`traffic/cells/params.py`); None where nobody wants to know."""
    messages: Conversation | None = None
    """The chat that the text was rendered from, without the answer; None where it was no chat."""
    is_ending_said: bool = True
    """Whether the log says how the answer ended; what does not counts as ended."""

    # What only some want to know; None where nobody does.

    request_id: str | None = None
    session: str | None = None
    """What several requests belong to: a conversation, an agent's run."""
    tenant: str | None = None
    """On whose behalf it was asked."""
    reasoning_tokens: int | None = None
    """Those of the answer's tokens that were reasoning."""
    time_to_first_token_s: float | None = None
    """From the arrival."""
    end_to_end_s: float | None = None
    """From the arrival to the last token."""
    predicted_tokens: float | None = None
    """As the ranker that placed the request predicted them."""
    ranker_version: str | None = None
    correction: float | None = None
    """What the prediction was multiplied by to find the place; only a journal says so, as the next three."""
    quantile: float | None = None
    """The place among all requests, 0 to 1."""
    placed_by: str | None = None
    """Which tier of the ranker, or what else, placed the request."""
    fail_open_reason: str | None = None
    """Why no tier did."""

    @property
    def is_censored(self) -> bool:
        """Whether the true length is only known to be at least the recorded one."""
        return self.ending != "ended"

    @property
    def left_out(self) -> LeftOut | None:
        """Why it has no label; None if it has one."""
        if not self.output_tokens:
            if self.ending == "aborted":
                return "failed"
            return "no_length" if self.output_tokens is None else "empty_answers"
        return "no_text" if self.text is None else None
