"""How full the engine is."""

from collections.abc import Callable
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

    def enter(self, num_sequences: int) -> None:
        """Count a request that is on its way into the engine."""
        self.num_sequences += num_sequences

    def leave(self, num_sequences: int) -> None:
        """Count a request that is finished or gone."""
        self.num_sequences -= num_sequences
        for callback in self._on_leave:
            callback()
