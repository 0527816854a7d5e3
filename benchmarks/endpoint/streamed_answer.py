"""What the events of a streamed answer say: when its tokens came, and how many there were."""

import json
from typing import Any

from benchmarks.failures import ReplayError

USAGE = '"completion_tokens"'
NO_TOKEN = {"role", "content"}
"""All that a chat's opening event holds, with empty content: some servers send it before there is a token."""


class StreamedAnswer:
    """Takes the events of one answer as they come."""

    def __init__(self) -> None:
        self.first_token_s: float | None = None
        """When the first token came, by the clock of whoever calls; None before."""
        self.last_token_s: float | None = None
        """When the last one came."""
        self._last_event = ""
        self._usage_event = ""

    def take(self, event: str, now_s: float) -> None:
        """Note an event, the JSON text of an object. Between the first token and the usage every one brings tokens."""
        self._last_event = event
        has_usage = USAGE in event
        if has_usage:
            self._usage_event = event
        if (has_usage or self.first_token_s is None) and not _brings_token(json.loads(event)):
            return
        self.first_token_s = now_s if self.first_token_s is None else self.first_token_s
        self.last_token_s = now_s

    def usage(self) -> tuple[int, int]:
        """Tokens of the answer and of its prompt, as the endpoint counts them; an answer that ended at once has one.

        Raises:
            ReplayError: no event told them.
        """
        usage = json.loads(self._usage_event or self._last_event or "{}").get("usage") or {}
        if "completion_tokens" not in usage:
            raise ReplayError(
                f"an event of an answer must tell its usage, but the last one was {self._last_event[:200]!r}."
            )
        return max(int(usage["completion_tokens"]), 1), int(usage.get("prompt_tokens") or 0)


def _brings_token(event: dict[str, Any]) -> bool:
    choice = next(iter(event.get("choices") or []), None)
    if choice is None:
        return False
    delta = choice.get("delta") or {}
    is_opening = "role" in delta and not delta.get("content") and delta.keys() <= NO_TOKEN
    return not is_opening or choice.get("finish_reason") is not None
