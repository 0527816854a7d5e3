"""What became of the answers: how well the predictions held, and who waited how long. Looked at once per answer.

The counts are vLLM's own; with its flag `--disable-log-stats` there are none, and these metrics stay empty. They are on
the page of a process that imports this file, so it must be one that sees the engine's outputs.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from time import monotonic
from typing import Any, Self

from prometheus_client import Gauge, Histogram
from scipy.stats import kendalltau

from serving.overtaking import Overtaking, RecentMaximum
from serving.threads import DaemonThreads

NUM_RECENT_ANSWERS = 500
OVERTAKING_WINDOW_S = 300.0
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
    "Kendall tau-b of predicted against true tokens over a target LLM's last 500 ranked answers that were not cut.",
    ["target_llm"],
    multiprocess_mode="livemostrecent",
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


class RollingTau:
    """The tau-b of one target LLM's last answers, computed anew after every few of them."""

    def __init__(self, target_llm: str, thread: DaemonThreads) -> None:
        self._target_llm = target_llm
        self._thread = thread
        self._recent: deque[Outcome] = deque(maxlen=NUM_RECENT_ANSWERS)
        self._num_since = 0

    def add(self, outcome: Outcome) -> None:
        """Take note of an answer that was not cut."""
        self._recent.append(outcome)
        self._num_since += 1
        if self._num_since >= ANSWERS_PER_TAU:
            self._num_since = 0
            self._thread.submit(_set_tau, self._target_llm, list(self._recent))


class Outcomes:
    """Takes note of finished answers for the metrics page."""

    def __init__(self, clock_s: Callable[[], float] = monotonic) -> None:
        self._clock_s = clock_s
        self._thread = DaemonThreads(1, "outcomes")
        self._overtaking = Overtaking()
        self._tau_of: dict[str, RollingTau] = {}
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

    def note_finished(self, target_llm: str, predicted_tokens: float, last_output: Any) -> None:
        """Count an answer, at vLLM's last output of it."""
        outcome = Outcome.of(predicted_tokens, last_output)
        if outcome is not None:
            self.note(target_llm, outcome)

    def note(self, target_llm: str, outcome: Outcome) -> None:
        """Count an answer. One that was cut has waited too, but says nothing of the prediction."""
        WAITING_SECONDS.labels(_bucket(outcome.predicted_tokens)).observe(outcome.waiting_s)
        PREDICTED_TOKENS.observe(outcome.predicted_tokens)
        OUTPUT_TOKENS.observe(outcome.output_tokens)
        if outcome.is_cut:
            return
        if target_llm not in self._tau_of:
            self._tau_of[target_llm] = RollingTau(target_llm, self._thread)
        self._tau_of[target_llm].add(outcome)

    def _show_overtaking(self, target_llm: str) -> None:
        MAX_OVERTAKING_SECONDS.labels(target_llm).set(self._overtaken_by_s[target_llm].at(self._clock_s()))


def _bucket(predicted_tokens: float) -> str:
    return next((name for name, limit in PREDICTED_LENGTHS.items() if predicted_tokens <= limit), LONGEST)


def _set_tau(target_llm: str, answers: Sequence[Outcome]) -> None:
    predicted, true = zip(*((one.predicted_tokens, one.output_tokens) for one in answers), strict=True)
    tau = float(kendalltau(predicted, true).statistic)
    if isfinite(tau):  # not if all are equal
        KENDALL_TAU_B.labels(target_llm).set(tau)
