"""How both rankers order what came together: tau-b over a window that moves on, by answers and by time. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from loop.fresh.fresh_requests import FreshRequests, Values
from loop.gate.checks.differences import tau_difference
from registry.promotion import Difference
from training.judging.ranking_metrics import kendall_tau_b

LEVEL = 0.95
MOST_POINTS = 60
"""Of a chart: more could not be told apart, so a long journal's windows begin farther apart."""
STRETCHES = 24
LEAST_IN_STRETCH = 30
"""Of time: in one with fewer answers nothing can be seen."""
HOUR_S = 3600.0


@dataclass(frozen=True)
class Point:
    """Some consecutive answers."""

    requests: int
    last: int
    """The number of the last of them, the first is 1."""
    arrival_s: float
    """Of the middle one; NaN where it is not known."""
    champion: float
    """Its tau-b, as the next one."""
    challenger: float
    difference: Difference


def by_answers(challenger: Values, champion: Values, requests: FreshRequests, window: int, seed: int) -> list[Point]:
    """A point each half window, the last one at the newest answer; one of all where there are fewer."""
    size = min(window, len(requests))
    step = max(1, size // 2, (len(requests) - size) // MOST_POINTS)
    ends = range(len(requests), size - 1, -step)
    return [_point(challenger, champion, requests, end - size, end, seed) for end in reversed(ends)]


def by_time(challenger: Values, champion: Values, requests: FreshRequests, seed: int) -> list[Point]:
    """A point a stretch of time in which enough came; none where arrivals are not known."""
    arrival_s = requests.arrival_s
    if not np.isfinite(arrival_s).all() or not arrival_s[-1] > arrival_s[0]:
        return []
    edges = np.searchsorted(arrival_s, np.linspace(arrival_s[0], arrival_s[-1], STRETCHES + 1)[1:-1])
    bounds = [0, *edges.tolist(), len(requests)]
    return [
        _point(challenger, champion, requests, start, stop, seed)
        for start, stop in pairwise(bounds)
        if stop - start >= LEAST_IN_STRETCH
    ]


def table(points: list[Point]) -> pd.DataFrame:
    """A row a point."""
    return pd.DataFrame(_rows(points))


def _rows(points: list[Point]) -> Iterator[dict[str, float]]:
    for one in points:
        found = {"requests": one.requests, "last": one.last, "arrival_s": one.arrival_s}
        found |= {"champion": one.champion, "challenger": one.challenger}
        yield found | {"difference": one.difference.value, "low": one.difference.low, "high": one.difference.high}


def _point(challenger: Values, champion: Values, requests: FreshRequests, start: int, stop: int, seed: int) -> Point:
    its = requests.take(np.arange(start, stop))
    one, other = challenger[start:stop], champion[start:stop]
    middle_s = float(its.arrival_s[len(its) // 2])
    tau, other_tau = (kendall_tau_b(scores, its.output_tokens, its.is_censored) for scores in (one, other))
    return Point(stop - start, stop, middle_s, other_tau, tau, tau_difference(one, other, its, LEVEL, seed))
