"""The last step before the engine: all requests pass here, the smallest priority first, and some are held meanwhile."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import inf

from serving.metrics import HELD_REQUESTS, HOLD_SECONDS, NO_RANKER
from serving.ranking.encoder_queue import Reading
from serving.ranking.hold import Hold, Standing
from serving.ranking.load import EngineLoad, Seat
from serving.request_stages import Place


class Candidate:
    """A request before the engine, and the best place that is known for it."""

    def __init__(
        self,
        seat: Seat,
        place: Place,
        priority_of: Callable[[Place], int],
        reading: Reading | None = None,
        target_llm: str = NO_RANKER,
    ) -> None:
        """`reading` may bring a better place; without one this is the place that it keeps."""
        self.seat = seat
        self.place = place
        self.reading = reading
        self.target_llm = target_llm
        self.is_held = False
        self._priority_of = priority_of

    @property
    def priority(self) -> int:
        """Of its place; the smallest goes first."""
        return self._priority_of(self.place)

    @property
    def standing(self) -> Standing:
        """Of its place."""
        if self.reading is None:
            return "settled"
        return "unplaced" if self.place.tier is None else "placed"

    def take_what_was_read(self) -> None:
        """Keep the encoder's place, or what there is instead, once it has read the text or failed."""
        if self.reading is not None and self.reading.is_over:
            self.place, self.reading = self.reading.better_than(self.place), None

    def go(self, has_room: bool) -> None:
        """Keep the best place that is known now."""
        self.take_what_was_read()  # a busy event loop may not have heard of it yet
        if self.standing == "unplaced":
            self.place = replace(self.place, reason="budget" if has_room else "backlog")
        self.seat.take()


class Turnstile:
    """Lets requests go on to the engine. All methods belong to one event loop.

    Who comes in one turn of the event loop is let go in the next one, in the order of priorities and not of arrival; so
    the first sequences of a burst are not those of whoever happened to be first. More is not waited for.
    """

    def __init__(self, load: EngineLoad, backlog_s: float) -> None:
        self._load = load
        self._hold: Hold[Candidate] = Hold(backlog_s)
        self._waker_of: dict[Candidate, asyncio.Future[None]] = {}
        self._newcomers: list[Candidate] = []
        self._num_held: Counter[str] = Counter()
        self._turn: asyncio.Handle | None = None
        self._alarm: asyncio.TimerHandle | None = None
        load.call_on_room(self._look_soon)

    async def wait(self, candidate: Candidate) -> Place:
        """Wait until a request may go on; its place by then. Its seat is taken then; whoever called leaves it."""
        loop = asyncio.get_running_loop()
        entered_s = loop.time()
        waker = self._waker_of[candidate] = loop.create_future()
        self._hold.enter(candidate, candidate.priority, candidate.standing, entered_s)
        self._newcomers.append(candidate)
        self._look_soon()
        try:
            await waker
        finally:
            self._forget(candidate, loop.time() - entered_s)
        return candidate.place

    def _look_soon(self) -> None:
        if self._turn is None and self._hold:
            self._turn = asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        self._turn = None
        now_s = asyncio.get_running_loop().time()
        while (candidate := self._hold.next(self._load.room, now_s)) is not None:
            self._let_go(candidate)
        for candidate in self._newcomers:
            if candidate in self._hold:
                self._begin_to_hold(candidate)
        self._newcomers.clear()
        self._set_alarm()

    def _let_go(self, candidate: Candidate) -> None:
        waker = self._waker_of[candidate]
        if waker.done():  # its client has left just now
            return
        candidate.go(has_room=self._load.room > 0)
        waker.set_result(None)

    def _begin_to_hold(self, candidate: Candidate) -> None:
        candidate.is_held = True
        self._count_held(candidate, 1)
        if candidate.reading is not None:
            candidate.reading.begin(candidate.priority, partial(self._hear, candidate))

    def _hear(self, candidate: Candidate) -> None:
        """The encoder has read it, or failed: its place will not get better."""
        if candidate in self._hold:
            candidate.take_what_was_read()
            self._hold.settle(candidate, candidate.priority)
            self._look_soon()

    def _forget(self, candidate: Candidate, waited_s: float) -> None:
        self._hold.leave(candidate)
        del self._waker_of[candidate]
        if candidate.is_held:
            self._count_held(candidate, -1)
            HOLD_SECONDS.labels(candidate.target_llm).observe(waited_s)
        if candidate.reading is not None:
            candidate.reading.end()

    def _count_held(self, candidate: Candidate, change: int) -> None:
        self._num_held[candidate.target_llm] += change
        HELD_REQUESTS.labels(candidate.target_llm).set(self._num_held[candidate.target_llm])

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        due_s = self._hold.next_verdict_s
        self._alarm = None if due_s == inf else asyncio.get_running_loop().call_at(due_s, self._look_soon)
