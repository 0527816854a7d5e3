"""What became of the answers: how long they were, and who waited how long. Looked at once per answer.

How well the predictions held is watched elsewhere (`serving/drift/`).

The counts are vLLM's own; with its flag `--disable-log-stats` there are none, and these metrics stay empty. They are on
the page of a process that imports this file, so it must be one that sees the engine's outputs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any, Self

from prometheus_client import Gauge, Histogram

from serving.overtaking import Overtaking, RecentMaximum

OVERTAKING_WINDOW_S = 300.0
PREDICTED_LENGTHS = {"up to 32": 32.0, "up to 128": 128.0, "up to 512": 512.0}
LONGEST = "above 512"

TOKEN_BUCKETS = (1, 4, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)
PREDICTED_TOKENS = Histogram(
    "pars_predicted_tokens", "Predicted tokens of the ranked answers that are finished.", buckets=TOKEN_BUCKETS
)
OUTPUT_TOKENS = Histogram(
    "pars_output_tokens", "True tokens of the same answers, cut ones included.", buckets=TOKEN_BUCKETS
)
WAITING_SECONDS = Histogram(
    "pars_waiting_seconds",
    "Seconds that a ranked request waited in the engine's queue, by its predicted tokens.",
    ["predicted_tokens"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300),
)
MAX_OVERTAKING_SECONDS = Gauge(
    "pars_max_overtaking_seconds",
    "By how much a target LLM's requests were overtaken at most in the last 5 minutes: how much later one arrived that"
    " the engine took up sooner. It stays below pars_patience_seconds plus the time that requests are held.",
    ["target_llm"],
    multiprocess_mode="livemax",
)


@dataclass(frozen=True)
class Outcome:
    """One finished answer of a ranked request."""

    predicted_tokens: float
    output_tokens: int
    waiting_s: float
    """From the engine's queue into its batch."""

    @classmethod
    def of(cls, predicted_tokens: float, last_output: Any) -> Self | None:
        """Read vLLM's last output of a request; None if it has no counts, or several answers."""
        stats: Any = getattr(last_output, "metrics", None)
        answers: Any = getattr(last_output, "outputs", ())
        if stats is None or len(answers) != 1:
            return None
        waiting_s = max(stats.scheduled_ts - stats.queued_ts, 0.0)
        return cls(predicted_tokens, stats.num_generation_tokens, waiting_s)


class Outcomes:
    """Takes note of finished answers for the metrics page."""

    def __init__(self, clock_s: Callable[[], float] = monotonic) -> None:
        self._clock_s = clock_s
        self._overtaking = Overtaking()
        self._overtaken_by_s: dict[str, RecentMaximum] = {}

    def note_taken_up(self, target_llm: str, arrival_us: int, first_output: Any) -> None:
        """Look whether a request was overtaken, at vLLM's first output of it."""
        stats = getattr(first_output, "metrics", None)
        if stats is None:
            return
        overtaken_by_s = self._overtaking.overtaken_by_s(arrival_us, stats.scheduled_ts)
        if target_llm not in self._overtaken_by_s:
            self._overtaken_by_s[target_llm] = RecentMaximum(OVERTAKING_WINDOW_S)
        self._overtaken_by_s[target_llm].add(self._clock_s(), overtaken_by_s)
        self._show_overtaking(target_llm)

    def forget_what_is_old(self) -> None:
        """Let the page show the last while only, also while no request comes. To be called every few seconds."""
        for target_llm in self._overtaken_by_s:
            self._show_overtaking(target_llm)

    def note_finished(self, predicted_tokens: float, last_output: Any) -> None:
        """Count an answer, at vLLM's last output of it."""
        outcome = Outcome.of(predicted_tokens, last_output)
        if outcome is not None:
            self.note(outcome)

    def note(self, outcome: Outcome) -> None:
        """Count an answer."""
        WAITING_SECONDS.labels(_bucket(outcome.predicted_tokens)).observe(outcome.waiting_s)
        PREDICTED_TOKENS.observe(outcome.predicted_tokens)
        OUTPUT_TOKENS.observe(outcome.output_tokens)

    def _show_overtaking(self, target_llm: str) -> None:
        MAX_OVERTAKING_SECONDS.labels(target_llm).set(self._overtaken_by_s[target_llm].at(self._clock_s()))


def _bucket(predicted_tokens: float) -> str:
    return next((name for name, limit in PREDICTED_LENGTHS.items() if predicted_tokens <= limit), LONGEST)
