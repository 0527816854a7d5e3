"""How full the engine is."""

from collections.abc import Callable


class EngineLoad:
    """How many sequences are in the engine, waiting or running; counted here, so that it is known without asking."""

    def __init__(self, max_num_seqs: int) -> None:
        self.max_num_seqs = max_num_seqs
        self.num_sequences = 0
        self.on_leave: Callable[[], None] = lambda: None

    @property
    def num_free(self) -> int:
        """Sequences that the engine could take at once; negative when requests wait in it."""
        return self.max_num_seqs - self.num_sequences

    def enter(self, num_sequences: int) -> None:
        """Count a request that is on its way into the engine."""
        self.num_sequences += num_sequences

    def leave(self, num_sequences: int) -> None:
        """Count a request that is finished or gone."""
        self.num_sequences -= num_sequences
        self.on_leave()
