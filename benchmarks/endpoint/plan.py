"""What a replay sends, and when: prompts, recorded lengths and send times. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from benchmarks.arrivals import ArrivalProcess
from registry.request import Conversation


@dataclass(frozen=True)
class PlannedRequest:
    """One request of a replay."""

    prompt: str
    output_tokens: int
    """The recorded length: imposed on the answer by `max_tokens` and `ignore_eos`, unless the LLM is to end it."""
    send_s: float
    """Seconds after the start of the replay."""
    number: int = 0
    """Which of the chosen prompts it is."""
    chat: Conversation | None = None
    """The messages that are sent instead of the prompt, which is then the text that a ranker reads of them."""
    limit_tokens: int | None = None
    """Where the LLM ends its own answers, what `max_tokens` allows them; None where the recorded length is imposed."""

    params: Mapping[str, Any] = field(default_factory=dict)
    """What the log says that it asked for."""

    @property
    def max_tokens(self) -> int:
        """What is asked for."""
        return self.output_tokens if self.limit_tokens is None else self.limit_tokens

    def cut_at(self, most_tokens: int) -> Self:
        """The same with an answer of so many tokens at most."""
        limit_tokens = None if self.limit_tokens is None else min(self.limit_tokens, most_tokens)
        return replace(self, output_tokens=min(self.output_tokens, most_tokens), limit_tokens=limit_tokens)


def plan_requests(
    prompts: list[str], output_tokens: list[int], arrivals: ArrivalProcess, seed: int, is_reversed: bool
) -> list[PlannedRequest]:
    """Give each prompt a place in a seeded random order and a send time.

    The reversed plan has the same send times with the prompts in the opposite order. Replays come in such pairs
    because the mean over a pair gives every prompt the same mean place, which takes the luck of the draw out of
    first-come-first-served (antithetic variates).

    Raises:
        InvalidInput: the process has no time for every prompt.
    """
    order = np.random.default_rng(seed).permutation(len(prompts))
    if is_reversed:
        order = order[::-1]
    times_s = arrivals.send_times_s(len(prompts), seed)
    return [
        PlannedRequest(prompts[i], output_tokens[i], float(at), int(i)) for i, at in zip(order, times_s, strict=True)
    ]
