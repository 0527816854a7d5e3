"""From arrival, patience and quantile to the integer that vLLM sorts its waiting requests by (lower = sooner). Pure."""

import time
from collections.abc import Callable

MICROSECONDS = 1_000_000


def wall_clock_us() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000


class ArrivalClock:
    """Stamps arrivals in microseconds of the wall clock, each later than the one before even if it is set back."""

    def __init__(self, clock_us: Callable[[], int] = wall_clock_us) -> None:
        self._clock_us = clock_us
        self._last_us = 0

    def stamp_us(self) -> int:
        """The time now, or just after the last stamp if that is later."""
        self._last_us = max(self._clock_us(), self._last_us + 1)
        return self._last_us


def priority(arrival_us: int, patience_s: float, quantile: float) -> int:
    """Place in the queue: lower goes sooner, and vLLM breaks ties by its own arrival time.

    Among requests that wait together none is overtaken by one that arrived more than `patience_s` later. A patience of
    zero is first-come-first-served; a large one approaches shortest-first.

    Args:
        arrival_us: when the request's body was complete; above 0.
        patience_s: how much later a request may arrive and still overtake; at least 0.
        quantile: how long the answer is predicted to be among all answers, 0 to 1.
    """
    assert arrival_us > 0, arrival_us
    assert patience_s >= 0, patience_s
    assert 0 <= quantile <= 1, quantile
    return arrival_us + round(round(patience_s * MICROSECONDS) * quantile)
