"""Which stretches of a log are simulated: the busiest one, and windows that stand for all of it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

Seconds = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

FEWEST_REQUESTS = 100
"""However long answers are: fewer make no queue."""
MOST_WINDOWS = 16
STRATA = ((0.5, 6), (0.4, 5), (0.09, 3), (0.01, 2))
"""Share of the log, from its quietest stretches to its busiest, and how many windows are drawn of each."""
AS_BUSY = 0.5
"""A stretch is as long as it may be while it is at least this share as busy as the busiest one within it."""


@dataclass(frozen=True)
class Demand:
    """What a log asks of an engine: work, and how much of it waits when each request comes."""

    arrival_s: Seconds
    """In order."""
    work_s: Seconds
    """How long a full engine works for each request."""
    surplus_s: Seconds
    """How much more work was brought before each request than the engine had time for since the log began."""
    backlog_s: Seconds
    """How long it would work for what is there when each request comes (Lindley's recursion, one server)."""

    @classmethod
    def of(cls, arrival_s: Seconds, work_s: Seconds) -> "Demand":
        """From arrivals in order and what each brings."""
        surplus_s = np.cumsum(work_s) - work_s - (arrival_s - arrival_s[0])
        return cls(arrival_s, work_s, surplus_s, surplus_s - np.minimum.accumulate(surplus_s))

    def backlog_within_s(self, requests: int) -> Seconds:
        """The same, if of the log only so many requests before each had come: what a simulation of them would see."""
        least_s = pd.Series(self.surplus_s).rolling(requests, min_periods=1).min()
        return np.asarray(self.surplus_s - least_s.to_numpy())

    def load(self, start: int, stop: int) -> float:
        """Work a second of consecutive requests, as a multiple of what the engine does.

        What came all at once counts as having come within a second, the finest that many logs tell.
        """
        within_s = float(self.arrival_s[stop - 1] - self.arrival_s[start]) or 1.0
        return float((stop - start - 1) / within_s * self.work_s[start:stop].mean())


class Window(NamedTuple):
    """Consecutive requests of a log, by their places in it."""

    start: int
    stop: int
    """From `start` to before `stop`: those that are spoken of."""
    before: int
    after: int
    """From `before` to before `after`: those that are simulated, since they are in the queue as well."""
    counted: int
    """How many of those spoken of count, evenly spread: as many as the window's share of the log."""

    @property
    def places(self) -> Places:
        """Of those that count."""
        return np.linspace(self.start, self.stop, self.counted, endpoint=False).astype(np.int64)


def busiest_window(demand: Demand, most: int, fewest: int = FEWEST_REQUESTS) -> Window:
    """The stretch that piles up most work, over all arrivals of a log.

    Only what its own requests bring counts: of a day that is too busy from morning to evening the busiest minutes are
    found, and not the end, at which most waits.

    It has as many requests as are asked for, or fewer where its last ones are much busier than all of them together: a
    burst of a few hundred is not watered down by the quiet hours before it; but not fewer than `fewest`.
    """
    size = min(most, len(demand.work_s))
    sizes = [size]
    while size // 2 >= fewest:
        sizes.append(size := size // 2)
    end = int(np.argmax(demand.backlog_within_s(sizes[0]))) + 1
    stretches = [_ending_at(end, one) for one in sizes]
    loads = [demand.load(*one) for one in stretches]
    start, stop = next(one for one, load in zip(stretches, loads, strict=True) if not load < AS_BUSY * max(loads))
    return Window(start, stop, start, stop, stop - start)


def _ending_at(end: int, size: int) -> tuple[int, int]:
    start = max(0, end - size)
    return start, start + size


def windows_of_all(demand: Demand, most: int, lead_s: float, seed: int) -> tuple[Window, ...]:
    """The log whole, or where it is longer than that, windows that stand for all of it: a stratified sample.

    The log is cut into stretches of as many requests, which are sorted by how much work waits in them and how much
    comes. Of each stratum some are drawn, more often of the busiest ones, and then as many of their requests count as
    the stratum's share of the log: whatever is averaged over those that count is true of the whole log.

    Args:
        demand: of the log.
        most: requests that may be simulated, without those around the windows.
        lead_s: how long before a window the simulation begins at least.
        seed: draws the windows.
    """
    requests = len(demand.work_s)
    if requests <= most:
        return (Window(0, requests, 0, requests, requests),)
    bounds = _bounds(requests, size := max(FEWEST_REQUESTS, most // MOST_WINDOWS))
    affordable = min(1.0, most / size / MOST_WINDOWS)
    drawn = [*_drawn(_by_backlog(demand, bounds), affordable, np.random.default_rng([seed, 5]))]
    per_share = min(len(blocks) * size / share for share, blocks in drawn)
    found = [
        (int(bounds[block]), int(bounds[block + 1]), max(1, round(per_share * share / len(blocks))))
        for share, blocks in drawn
        for block in blocks
    ]
    return tuple(
        _with_queue(demand, start, stop, min(count, stop - start), lead_s) for start, stop, count in sorted(found)
    )


def _bounds(requests: int, size: int) -> Places:
    return np.linspace(0, requests, max(1, requests // size) + 1).astype(np.int64)


def _by_backlog(demand: Demand, bounds: Places) -> Places:
    """Numbers of the stretches, those in which least work waits first, then those in which least comes."""
    sizes = np.diff(bounds)
    waiting_s = np.add.reduceat(demand.backlog_s, bounds[:-1]) / sizes
    loads = [demand.load(start, stop) for start, stop in pairwise(bounds.tolist())]
    return np.asarray(np.lexsort((np.array(loads), waiting_s)))


def _drawn(ordered: Places, affordable: float, rng: np.random.Generator) -> Iterator[tuple[float, Places]]:
    """Of each stratum its share of all stretches, and some that are spread over it from a place that is drawn.

    Where only some of the windows are `affordable` (a share of them), of each stratum one at least.
    """
    edges = np.floor(np.cumsum([0.0, *(share for share, _ in STRATA)]).round(9) * len(ordered)).astype(int)
    for (_, wanted), low, high in zip(STRATA, edges[:-1], edges[1:], strict=True):
        members = ordered[low:high]
        if len(members):
            num = min(max(1, round(wanted * affordable)), len(members))
            places = ((rng.random() + np.arange(num)) * len(members) / num).astype(np.int64)
            yield len(members) / len(ordered), members[places]


def _with_queue(demand: Demand, start: int, stop: int, counted: int, lead_s: float) -> Window:
    """With what came before since nothing waited, and after until nothing waits; as many requests at most each."""
    most = stop - start
    lead = int(np.searchsorted(demand.arrival_s, demand.arrival_s[start] - lead_s, side="right")) - 1
    earliest, latest = max(0, start - most), min(len(demand.work_s), stop + most)
    idle_before = np.flatnonzero(demand.backlog_s[earliest : lead + 1] <= 0) if lead >= earliest else np.array([])
    idle_after = np.flatnonzero(demand.backlog_s[stop:latest] <= 0)
    before = earliest + int(idle_before[-1]) if len(idle_before) else earliest
    return Window(start, stop, before, stop + int(idle_after[0]) if len(idle_after) else latest, counted)
