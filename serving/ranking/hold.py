"""Who may go on to the engine now, and who is held because a better place may come. Pure: clock and room are given.

Whoever has a place goes as soon as the engine could take it, the best place first. While others wait in the engine
waiting costs nothing, so a request is held until its place cannot get better, or for as long as the backlog budget.
"""

from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from math import inf
from typing import Generic, Literal, TypeVar

Standing = Literal["settled", "placed", "unplaced"]
"""Of a request's place: it will not get better; a better one may come; there is none yet."""

UNPLACED_S = 0.05
"""How long one with no place yet is held while the engine could take it: only the encoder reads it, in milliseconds,
and if that cannot, no engine stands idle for it."""

LEAST_SWEPT = 64

Request = TypeVar("Request")


def may_go(standing: Standing, held_s: float, room: int, backlog_s: float) -> bool:
    """The verdict on one request.

    Args:
        standing: of its place.
        held_s: for how long it has been held.
        room: sequences that the engine could take without letting one wait (`EngineLoad.room`).
        backlog_s: how long it may be held while requests wait in the engine.
    """
    if standing == "settled" or held_s >= backlog_s:
        return True
    return room > 0 and (standing == "placed" or held_s >= UNPLACED_S)


@dataclass(eq=False)
class _Entry(Generic[Request]):
    """A request as it stands at one moment; it stands elsewhere, or is gone, once `request` is None."""

    priority: int
    number: int
    entered_s: float
    standing: Standing
    request: Request | None

    def __lt__(self, other: "_Entry[Request]") -> bool:
        return (self.priority, self.number) < (other.priority, other.number)


class Hold(Generic[Request]):
    """Requests before the engine, each in it once: `may_go` of all of them, the smallest priority first."""

    def __init__(self, backlog_s: float) -> None:
        self._backlog_s = backlog_s
        self._entry_of: dict[Request, _Entry[Request]] = {}
        self._going: list[_Entry[Request]] = []
        """A heap of those that may go whatever the room."""
        self._ready: list[_Entry[Request]] = []
        """A heap of those that may go if there is room."""
        self._later: list[tuple[float, float, _Entry[Request]]] = []
        """A heap of when one is to be judged again, since it has been held for so many seconds then."""
        self._num_entered = 0

    def __len__(self) -> int:
        return len(self._entry_of)

    def __contains__(self, request: Request) -> bool:
        return request in self._entry_of

    def enter(self, request: Request, priority: int, standing: Standing, now_s: float) -> None:
        """Let a request in. Of equal priorities the one that entered first goes first."""
        assert request not in self._entry_of
        self._num_entered += 1
        self._judge(_Entry(priority, self._num_entered, now_s, standing, request), held_s=0.0)

    def settle(self, request: Request, priority: int) -> None:
        """A request that is in here has the place that it will keep."""
        old = self._entry_of[request]
        old.request = None
        self._judge(_Entry(priority, old.number, old.entered_s, "settled", request), held_s=0.0)

    def leave(self, request: Request) -> None:
        """Forget a request, if it is still in here."""
        entry = self._entry_of.pop(request, None)
        if entry is not None:
            entry.request = None

    def next(self, room: int, now_s: float) -> Request | None:
        """Take out the next request that may go; None if all others are held.

        Room changes with each that goes, so it is asked for anew each time.
        """
        self._judge_again(now_s)
        heads = [heap[0] for heap in (self._going, self._ready if room > 0 else []) if _has_head(heap)]
        if not heads:
            return None
        request = min(heads).request
        assert request is not None
        self.leave(request)
        return request

    @property
    def next_verdict_s(self) -> float:
        """When time alone may let one go; infinite if it does not."""
        while self._later and self._later[0][-1].request is None:
            heappop(self._later)
        return self._later[0][0] if self._later else inf

    def _judge_again(self, now_s: float) -> None:
        while self.next_verdict_s <= now_s:
            _, held_s, entry = heappop(self._later)
            self._judge(entry, held_s)

    def _judge(self, entry: _Entry[Request], held_s: float) -> None:
        assert entry.request is not None
        self._entry_of[entry.request] = entry
        if may_go(entry.standing, held_s, 0, self._backlog_s):
            self._push(self._going, entry)
            return
        wait_s = min(UNPLACED_S, self._backlog_s)
        if may_go(entry.standing, held_s, 1, self._backlog_s):
            self._push(self._ready, entry)
            wait_s = self._backlog_s
        heappush(self._later, (entry.entered_s + wait_s, wait_s, entry))

    def _push(self, heap: list[_Entry[Request]], entry: _Entry[Request]) -> None:
        if len(heap) > 2 * len(self) + LEAST_SWEPT:  # those that stand elsewhere by now may lie deep
            heap[:] = [one for one in heap if one.request is not None]
            heapify(heap)
        heappush(heap, entry)


def _has_head(heap: list[_Entry[Request]]) -> bool:
    """Drop what stands elsewhere by now from the top of a heap; whether anything is left."""
    while heap and heap[0].request is None:
        heappop(heap)
    return bool(heap)
