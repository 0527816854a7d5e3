"""How full the engine is: what we handed on and has not left, and whether requests wait in it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from serving.metrics import ENGINE_SEQUENCES, WAITING_SEQUENCES
from serving.ranking.reports import EngineReports, Report


class EngineLoad:
    """How many sequences are in the engine, waiting or running; counted here, so that it is known without asking.

    All methods belong to one event loop.
    """

    def __init__(self, max_num_seqs: int, reports: EngineReports | None = None) -> None:
        """Without reports the engine is full once it has `max_num_seqs` sequences."""
        self.max_num_seqs = max_num_seqs
        self.num_sequences = 0
        self._reports = reports
        self._on_room: list[Callable[[], None]] = []

    @property
    def room(self) -> int:
        """Sequences that the engine could take at once; 0 or negative when requests wait in it."""
        free = self.max_num_seqs - self.num_sequences
        return free if self._reports is None else self._reports.room(self.num_sequences, free)

    @property
    def num_waiting(self) -> int:
        """Sequences that wait in vLLM's scheduler for room, by its last report; without one, those above its limit."""
        if self._reports is not None:
            return self._reports.num_waiting
        return max(self.num_sequences - self.max_num_seqs, 0)

    def report(self, engine: int, report: Report) -> None:
        """Hear of an engine's latest step."""
        assert self._reports is not None
        self._reports.add(engine, report)
        if self.num_sequences == 0:  # it was under way when the last one left
            self._reports.forget()
        WAITING_SEQUENCES.set(self.num_waiting)
        self._there_may_be_room()

    def call_on_room(self, callback: Callable[[], None]) -> None:
        """Call this whenever there may be more room than before."""
        self._on_room.append(callback)

    @contextmanager
    def seat(self, num_sequences: int) -> Iterator["Seat"]:
        """The seat of one request, which is left with the block, whatever ends it."""
        seat = Seat(self, num_sequences)
        try:
            yield seat
        finally:
            seat.leave()

    def count(self, num_sequences: int) -> None:
        """Count sequences in, or out if negative; `Seat` alone does that."""
        self.num_sequences += num_sequences
        if self._reports is not None and num_sequences > 0:
            self._reports.hand_on(num_sequences)
        if self._reports is not None and self.num_sequences == 0:
            self._reports.forget()
        ENGINE_SEQUENCES.set(self.num_sequences)
        WAITING_SEQUENCES.set(self.num_waiting)
        if num_sequences < 0:
            self._there_may_be_room()

    def _there_may_be_room(self) -> None:
        for callback in self._on_room:
            callback()


class Seat:
    """The room of one request in the engine. It is taken once: by whoever lets the request go, at that moment."""

    def __init__(self, load: EngineLoad, num_sequences: int) -> None:
        self._load = load
        self._num_sequences = num_sequences
        self._is_taken = False

    def take(self) -> None:
        """Count the request in, unless it is already."""
        if not self._is_taken:
            self._is_taken = True
            self._load.count(self._num_sequences)

    def leave(self) -> None:
        """Count it out, if it was counted in."""
        if self._is_taken:
            self._is_taken = False
            self._load.count(-self._num_sequences)
