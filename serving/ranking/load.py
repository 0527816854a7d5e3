"""How full the engine is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def max_num_seqs(vllm_config: Any) -> int:
    """How many sequences an engine of this configuration runs at once."""
    return int(vllm_config.scheduler_config.max_num_seqs * vllm_config.parallel_config.data_parallel_size)


class EngineLoad:
    """How many sequences are in the engine, waiting or running; counted here, so that it is known without asking."""

    def __init__(self, max_num_seqs: int) -> None:
        self.max_num_seqs = max_num_seqs
        self.num_sequences = 0
        self._on_leave: list[Callable[[], None]] = []

    @property
    def num_free(self) -> int:
        """Sequences that the engine could take at once; negative when requests wait in it."""
        return self.max_num_seqs - self.num_sequences

    def call_on_leave(self, callback: Callable[[], None]) -> None:
        """Call this whenever a request has left."""
        self._on_leave.append(callback)

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
        for callback in self._on_leave if num_sequences < 0 else ():
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
