"""The newest rows of a log in one pass, whatever their order, in memory that does not grow with the log."""

from collections.abc import Callable, Iterable
from heapq import heappush, heappushpop
from itertools import count
from math import inf

from traffic.rows.row import Row

DAY_S = 86_400.0


def newest(rows: Iterable[Row], at_most: int, days: float, is_wanted: Callable[[Row], bool]) -> list[Row]:
    """At most so many of the wanted rows, sorted by arrival, none older than so many days before the newest.

    Rows without an arrival count as older than all others, the later ones in the log as newer.
    """
    kept: list[tuple[float, int, Row]] = []
    numbers = count()
    for row in filter(is_wanted, rows):
        one = (-inf if row.arrival_s is None else row.arrival_s, next(numbers), row)
        heappush(kept, one) if len(kept) < at_most else heappushpop(kept, one)
    kept.sort()
    since_s = kept[-1][0] - days * DAY_S if kept else -inf
    return [row for arrival_s, _, row in kept if arrival_s >= since_s]
