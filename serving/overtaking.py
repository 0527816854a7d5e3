"""By how much requests overtake others: what `patience_s` promises to limit, measured. Pure."""

from bisect import bisect_left
from collections import deque

NUM_REMEMBERED = 4096


class RecentMaximum:
    """The largest of the values of the last while; 0 if there was none. Times are passed in and never fall."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._falling: deque[tuple[float, float]] = deque()
        """Values with their times, without those that a later one has outdone."""

    def add(self, now_s: float, value: float) -> None:
        """Take note of a value."""
        while self._falling and self._falling[-1][1] <= value:
            self._falling.pop()
        self._falling.append((now_s, value))

    def at(self, now_s: float) -> float:
        """The largest value of the window that ends now."""
        while self._falling and self._falling[0][0] <= now_s - self._window_s:
            self._falling.popleft()
        return self._falling[0][1] if self._falling else 0.0


class Overtaking:
    """Sees each request when the engine has taken it up, and knows whom that was unfair to.

    A request is overtaken by each one that arrived later and was taken up sooner; by how much is the difference of
    their arrivals. Requests that the engine took up long ago are forgotten.
    """

    def __init__(self) -> None:
        self._latest: deque[tuple[float, int]] = deque(maxlen=NUM_REMEMBERED)
        """When a request was taken up, if none before it had arrived as late; rising in both."""

    def overtaken_by_s(self, arrival_us: int, taken_up_s: float) -> float:
        """How much later than this request the latest one arrived that was taken up sooner; 0 if there is none."""
        place = bisect_left(self._latest, (taken_up_s, 0))
        latest_us = self._latest[place - 1][1] if place else arrival_us
        self._remember(place, arrival_us, taken_up_s, latest_us)
        return max(latest_us - arrival_us, 0) / 1_000_000

    def _remember(self, place: int, arrival_us: int, taken_up_s: float, latest_us: int) -> None:
        if place and arrival_us <= latest_us:
            return
        if len(self._latest) == NUM_REMEMBERED:
            self._latest.popleft()
            place = max(place - 1, 0)
        self._latest.insert(place, (taken_up_s, arrival_us))
        while len(self._latest) > place + 1 and self._latest[place + 1][1] <= arrival_us:
            del self._latest[place + 1]
