"""What a replay sends, and when: prompts, recorded lengths and send times. Pure."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

Arrivals = Literal["burst", "poisson"]


@dataclass(frozen=True)
class PlannedRequest:
    """One request of a replay."""

    prompt: str
    output_tokens: int
    """The recorded length, imposed on the answer by `max_tokens` and `ignore_eos`."""
    send_s: float
    """Seconds after the start of the replay."""


def plan_requests(
    prompts: list[str], output_tokens: list[int], arrivals: Arrivals, rate_per_s: float, seed: int, is_reversed: bool
) -> list[PlannedRequest]:
    """Give each prompt a place in a seeded random order and a send time.

    The reversed plan has the same send times with the prompts in the opposite order. Replays come in such pairs
    because the mean over a pair gives every prompt the same mean place, which takes the luck of the draw out of
    first-come-first-served (antithetic variates).

    Raises:
        ValueError: an unknown kind of arrivals, or a Poisson process without a rate above 0.
    """
    order = np.random.default_rng(seed).permutation(len(prompts))
    if is_reversed:
        order = order[::-1]
    times_s = send_times_s(len(prompts), arrivals, rate_per_s, seed)
    return [PlannedRequest(prompts[i], output_tokens[i], float(at)) for i, at in zip(order, times_s, strict=True)]


def send_times_s(num_requests: int, arrivals: Arrivals, rate_per_s: float, seed: int) -> np.ndarray:
    """Send times in seconds, non-decreasing from 0: all at once, or a Poisson process."""
    if arrivals not in get_args(Arrivals):
        raise ValueError(f"arrivals must be one of {', '.join(get_args(Arrivals))}, but got {arrivals!r}.")
    if arrivals == "burst":
        return np.zeros(num_requests)
    if rate_per_s <= 0:
        raise ValueError(f"Poisson arrivals need a rate above 0 requests per second, but got {rate_per_s}.")
    gaps_s = np.random.default_rng([seed, 1]).exponential(1 / rate_per_s, num_requests)
    return np.asarray(np.cumsum(gaps_s) - gaps_s[0])
