"""What vLLM's scheduler says of itself after each step, and what may have come to it since. The clock is passed in."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

STEPS_UNTIL_SEEN = 3
"""A report knows all that was handed on this many reports ago: a step fetches what came during the one before, and the
step after it may have been scheduled already."""
SHARED_REPORT_LASTS_S = 1.0
"""How long a report counts where several API servers share the engine: each report reaches only one of them."""


@dataclass(frozen=True)
class Report:
    """One engine after one of its steps, in sequences."""

    num_running: int = 0
    num_waiting: int = 0
    """For room: in the batch, in the KV cache, or in the next prefill."""
    num_blocked: int = 0
    """For something else than room, as a grammar that is compiled."""

    @property
    def num_known(self) -> int:
        """All that the engine had."""
        return self.num_running + self.num_waiting + self.num_blocked


class EngineReports:
    """The last report of each engine, and the sequences that were handed on too lately to be in it."""

    def __init__(
        self, num_engines: int = 1, is_shared: bool = False, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        """`is_shared`: other API servers ask the same engines, and get a part of the reports."""
        self._num_engines = num_engines
        self._is_shared = is_shared
        self._clock_s = clock_s
        self._last: dict[int, tuple[float, Report]] = {}
        self._handed_on: deque[int] = deque([0], maxlen=STEPS_UNTIL_SEEN * num_engines)
        """Sequences between one report and the next, the latest last."""
        self.forget()

    @property
    def num_waiting(self) -> int:
        """Sequences that wait for room in all engines, as far as is known."""
        return sum(report.num_waiting for report in self._fresh())

    def add(self, engine: int, report: Report) -> None:
        """Take note of an engine's latest step."""
        self._last[engine] = self._clock_s(), report
        self._handed_on.append(0)

    def hand_on(self, num_sequences: int) -> None:
        """Take note of sequences that are on their way to an engine."""
        self._handed_on[-1] += num_sequences

    def forget(self) -> None:
        """Nothing of ours is in the engines. If they are ours alone they are idle, whatever their last reports said."""
        self._handed_on.clear()
        self._handed_on.append(0)
        if not self._is_shared:
            self._last = {engine: (0.0, Report()) for engine in range(self._num_engines)}

    def room(self, num_sequences: int, free: int) -> int:
        """How many more sequences the engines could take without letting one wait.

        vLLM sends a request to the engine with the shortest queue, so one waits only if all have a queue. One without
        is taken to have room for as many more as it runs: a burst that comes within one step goes on in portions that
        double from step to step until some wait, and an idle engine takes one at once.

        Args:
            num_sequences: those of ours that were handed on and have not left.
            free: what is left of our share of all sequences. Where the engines are shared and fresh reports say that
                they have room, we may have more than that.
        """
        fresh = self._fresh()
        if len(fresh) < self._num_engines:
            return free
        room = sum(max(report.num_running, 1) for report in fresh if report.num_waiting == 0)
        room = max(room - self._num_unseen(num_sequences, fresh), 0)
        return room if self._is_shared else min(room, free)

    def _fresh(self) -> list[Report]:
        oldest_s = self._clock_s() - SHARED_REPORT_LASTS_S if self._is_shared else float("-inf")
        return [report for reported_s, report in self._last.values() if reported_s >= oldest_s]

    def _num_unseen(self, num_sequences: int, fresh: list[Report]) -> int:
        num_recent = sum(self._handed_on)
        if self._is_shared:
            return num_recent
        # An answer that the engine has finished, and whose client is slow to read it, is still among ours.
        return min(num_recent, max(num_sequences - sum(report.num_known for report in fresh), 0))
