"""What happens to requests before an engine has them: taken in, placed, held and handed on. Pure.

Who is held and who goes on next is decided by what decides it in a server (`serving/ranking/hold.py`), by the same
reports of the engine; only the time that everything takes is made up.
"""

from collections import deque
from collections.abc import Iterable
from heapq import heappop, heappush
from math import inf

from benchmarks.simulation.engine.engine_settings import SimulatedRequest
from benchmarks.simulation.engine.order import PlacedBy, SentRequest
from serving.ranking.hold import Hold, Standing
from serving.ranking.reports import EngineReports, Report
from serving.work.step_cost import StepCost


class Intake:
    """What stands before one engine: an event loop that takes requests in and places them, and a thread that reads.

    The loop goes on with all that wait at the same time, each a piece further: it takes in all that came and finds the
    instant place of each, then lets go who may go, the best place first, and what has come meanwhile is the next round.
    So the engine begins a burst with the request that has the best place, and its next step chooses among those that
    were handed on during the first. Who is held is read by the encoder, one after the other, the best place first. The
    way to the engine and back comes on top, and those of many requests go on at once.
    """

    def __init__(self, cost: StepCost, backlog_s: float, max_num_seqs: int) -> None:
        """`backlog_s`: how long a request may be held; `max_num_seqs`: what the engine works on at once."""
        self._cost, self._max_num_seqs = cost, max_num_seqs
        self._hold: Hold[int] = Hold(backlog_s)
        self._reports = EngineReports()
        self._coming: deque[SentRequest] = deque()
        self._requests: dict[int, SentRequest] = {}
        """Those in the hold."""
        self._unread: list[tuple[int, int, float]] = []
        """A heap of what the thread is to read: priority, number, since when (that of a round that has begun)."""
        self._read: deque[tuple[float, int]] = deque()
        """When the loop can hear of what the thread has begun to read, and of which request; in order."""
        self._handed_on: list[SimulatedRequest] = []
        self._loop_free_s = self._thread_free_s = 0.0
        self._reported_s = inf
        """When the engine said something that the loop has not acted on; infinite if it has."""
        self._num_sequences = 0
        self.placed_by: dict[int, PlacedBy] = {}
        """Of each request that was handed on and has not been answered."""

    def send(self, requests: Iterable[SentRequest]) -> None:
        """More requests are sent, in the order of their times and none before those that were."""
        self._coming.extend(requests)

    def report(self, now_s: float, num_running: int, num_waiting: int, num_answered: int) -> None:
        """The engine has ended a step: what it has now, and how many answers ended since it was heard last."""
        self._go_on(now_s, is_before=True)
        self._num_sequences -= num_answered
        self._reports.add(0, Report(num_running, num_waiting))
        if self._num_sequences == 0:
            self._reports.forget()
        self._reported_s = min(self._reported_s, now_s)

    def hand_on(self, now_s: float) -> list[SimulatedRequest]:
        """What was handed on in the rounds that have begun by now, some of it to be ready later."""
        self._go_on(now_s)
        handed_on, self._handed_on = self._handed_on, []
        return handed_on

    @property
    def next_s(self) -> float:
        """When the next round begins, if nothing else comes; infinite if none does."""
        return max(self._loop_free_s, self._next_event_s())

    def _go_on(self, until_s: float, is_before: bool = False) -> None:
        while (start_s := self.next_s) < until_s or (start_s == until_s < inf and not is_before):
            self._round(start_s)

    def _next_event_s(self) -> float:
        coming_s = self._coming[0].sent_s if self._coming else inf
        if not len(self._hold):
            return coming_s
        heard_s = self._read[0][0] if self._read else inf
        reads_s = self._thread_free_s if self._unread else inf
        return min(coming_s, heard_s, reads_s, self._hold.next_verdict_s, self._reported_s)

    def _round(self, start_s: float) -> None:
        self._loop_free_s = start_s
        self._reported_s = inf
        self._begin_to_read(start_s)
        self._hear_of_what_was_read(start_s)
        newcomers = self._take_in(start_s)
        self._let_go()
        for one in newcomers:
            if one.number in self._hold and one.encoder is not None:
                heappush(self._unread, (one.priority_of(_first_place(one)), one.number, self._loop_free_s))

    def _take_in(self, start_s: float) -> list[SentRequest]:
        newcomers = []
        while self._coming and self._coming[0].sent_s <= start_s:
            newcomers.append(self._coming.popleft())
        placed_s = sum(self._cost.instant_s for one in newcomers if one.instant is not None)
        self._loop_free_s += len(newcomers) * self._cost.intake_s + placed_s
        for one in newcomers:
            self._requests[one.number] = one
            place = self.placed_by[one.number] = _first_place(one)
            self._hold.enter(one.number, one.priority_of(place), _standing(one), self._loop_free_s)
        return newcomers

    def _let_go(self) -> None:
        now_s = self._loop_free_s
        while len(self._hold) and (number := self._hold.next(self._room, now_s)) is not None:
            self._loop_free_s += self._cost.handing_on_s
            self._num_sequences += 1
            self._reports.hand_on(1)
            self._handed_on.append(self._simulated(self._requests.pop(number)))

    @property
    def _room(self) -> int:
        return self._reports.room(self._num_sequences, self._max_num_seqs - self._num_sequences)

    def _begin_to_read(self, until_s: float) -> None:
        """The thread takes what has the best place of all that is held, whenever it is free."""
        while self._unread and self._thread_free_s <= until_s:
            _, number, since_s = heappop(self._unread)
            if number in self._hold:
                self._thread_free_s = max(self._thread_free_s, since_s) + self._cost.scoring_s
                self._read.append((max(self._thread_free_s, since_s + self._cost.ranking_s), number))

    def _hear_of_what_was_read(self, now_s: float) -> None:
        while self._read and self._read[0][0] <= now_s:
            _, number = self._read.popleft()
            if number in self._hold:
                self.placed_by[number] = "encoder"
                self._hold.settle(number, self._requests[number].priority_of("encoder"))

    def _simulated(self, one: SentRequest) -> SimulatedRequest:
        return SimulatedRequest(
            number=one.number,
            ready_s=self._loop_free_s + self._cost.transit_s,
            priority=one.priority_of(self.placed_by[one.number]),
            arrival_s=one.sent_s,
            prompt_tokens=one.prompt_tokens,
            output_tokens=one.output_tokens,
            token_ids=one.token_ids,
        )


def _first_place(one: SentRequest) -> PlacedBy:
    """What has found the place that a request has when it comes to the hold."""
    if one.known is not None:
        return "known"
    return "median" if one.instant is None else "instant"


def _standing(one: SentRequest) -> Standing:
    if one.encoder is None:
        return "settled"
    return "unplaced" if one.instant is None else "placed"
