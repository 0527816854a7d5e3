"""What became of the answers: how well the predictions held, and who waited how long. Looked at once per answer.

The counts are vLLM's own; with its flag `--disable-log-stats` there are none, and these metrics stay empty. They are on
the page of a process that imports this file, so it must be one that sees the engine's outputs.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Self

from prometheus_client import Gauge, Histogram
from scipy.stats import kendalltau

from serving.overtaking import Overtaking
from serving.threads import DaemonThreads

NUM_RECENT_ANSWERS = 500
ANSWERS_PER_TAU = 25
"""How often the rolling tau is computed anew: it costs about a millisecond, in a thread of its own."""
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
KENDALL_TAU_B = Gauge(
    "pars_kendall_tau_b",
    "Kendall tau-b of predicted against true tokens over the last 500 ranked answers that were not cut.",
    multiprocess_mode="livemostrecent",
)
MAX_OVERTAKING_SECONDS = Gauge(
    "pars_max_overtaking_seconds",
    "By how much a request was overtaken at most since the start: how much later one arrived that the engine took up"
    " sooner. It stays below pars_patience_seconds plus the time that requests are held for their ranking.",
    multiprocess_mode="livemax",
)


@dataclass(frozen=True)
class Outcome:
    """One finished answer of a ranked request."""

    predicted_tokens: float
    output_tokens: int
    waiting_s: float
    """From the engine's queue into its batch."""
    is_cut: bool
    """Whether the answer ended at its limit, so that its true length is not known."""

    @classmethod
    def of(cls, predicted_tokens: float, last_output: Any) -> Self | None:
        """Read vLLM's last output of a request; None if it has no counts, or several answers."""
        stats: Any = getattr(last_output, "metrics", None)
        answers: Any = getattr(last_output, "outputs", ())
        if stats is None or len(answers) != 1:
            return None
        waiting_s = max(stats.scheduled_ts - stats.queued_ts, 0.0)
        is_cut = answers[0].finish_reason == "length"
        return cls(predicted_tokens, stats.num_generation_tokens, waiting_s, is_cut)


class Outcomes:
    """Takes note of finished answers for the metrics page."""

    def __init__(self) -> None:
        self._recent: deque[Outcome] = deque(maxlen=NUM_RECENT_ANSWERS)
        self._num_since_tau = 0
        self._thread = DaemonThreads(1, "outcomes")
        self._overtaking = Overtaking()
        self._max_overtaking_s = 0.0

    def note_taken_up(self, arrival_us: int, first_output: Any) -> None:
        """Look whether a request was overtaken, at vLLM's first output of it."""
        stats = getattr(first_output, "metrics", None)
        if stats is None:
            return
        overtaken_by_s = self._overtaking.overtaken_by_s(arrival_us, stats.scheduled_ts)
        if overtaken_by_s > self._max_overtaking_s:
            self._max_overtaking_s = overtaken_by_s
            MAX_OVERTAKING_SECONDS.set(overtaken_by_s)

    def note_finished(self, predicted_tokens: float, last_output: Any) -> None:
        """Count an answer, at vLLM's last output of it."""
        outcome = Outcome.of(predicted_tokens, last_output)
        if outcome is not None:
            self.note(outcome)

    def note(self, outcome: Outcome) -> None:
        """Count an answer. One that was cut has waited too, but says nothing of the prediction."""
        WAITING_SECONDS.labels(_bucket(outcome.predicted_tokens)).observe(outcome.waiting_s)
        PREDICTED_TOKENS.observe(outcome.predicted_tokens)
        OUTPUT_TOKENS.observe(outcome.output_tokens)
        if outcome.is_cut:
            return
        self._recent.append(outcome)
        self._num_since_tau += 1
        if self._num_since_tau >= ANSWERS_PER_TAU:
            self._num_since_tau = 0
            self._thread.submit(_set_tau, list(self._recent))


def _bucket(predicted_tokens: float) -> str:
    return next((name for name, limit in PREDICTED_LENGTHS.items() if predicted_tokens <= limit), LONGEST)


def _set_tau(answers: Sequence[Outcome]) -> None:
    predicted, true = zip(*((one.predicted_tokens, one.output_tokens) for one in answers), strict=True)
    tau = float(kendalltau(predicted, true).statistic)
    if isfinite(tau):  # not if all are equal
        KENDALL_TAU_B.set(tau)
