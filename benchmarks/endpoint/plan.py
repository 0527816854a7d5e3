"""What a replay sends, and when: prompts, recorded lengths and send times. Pure."""

from dataclasses import dataclass

import numpy as np

from benchmarks.arrivals import ArrivalProcess
from registry.request import Conversation


@dataclass(frozen=True)
class PlannedRequest:
    """One request of a replay."""

    prompt: str
    output_tokens: int
    """The recorded length, imposed on the answer by `max_tokens` and `ignore_eos`."""
    send_s: float
    """Seconds after the start of the replay."""
    number: int = 0
    """Which of the chosen prompts it is."""
    chat: Conversation | None = None
    """The messages that are sent instead of the prompt, which is then the text that a ranker reads of them."""


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
