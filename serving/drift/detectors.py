"""When a figure has left its reference: a sequential detector over blocks of answers. Pure.

Page-Hinkley (Page, Continuous inspection schemes, Biometrika 41, 1954), river's, in place of ADWIN: a fall of a stated
size shall be found soon and false alarms be rare, for which cumulative sums are the best there is (Moustakides, Annals
of Statistics 14, 1986); ADWIN's bounds hold for anything and so come late. river's compares with the mean of all it has
seen; here it has seen the reference first, as often as PRIOR_BLOCKS says. So a ranker is held against its card from
the first answer on, while a live level that is a little off (other labels, other proportions) becomes the reference in
the course of some thousand answers instead of an alarm.

What is added up has the same spread whatever the level: Fisher's z of a rank correlation has a variance of
0.437 ÷ (n - 4) for tau (Fieller, Hartley and Pearson, Biometrika 44, 1957). The static gain, in which long answers
weigh more, has one of 1.3 to 3.4 ÷ (n - 4), by how much lengths vary (measured: log-normal with a spread of 0.6 to 1.3,
and chats beside labels); the largest is taken, so its alarms come later than tau's where lengths vary less.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import atanh, copysign, log, sqrt

from river.drift import PageHinkley

from serving.drift.figures import Figures
from serving.drift.watched_answer import Watched

BLOCK_ANSWERS = 50
PRIOR_BLOCKS = 40
"""What the reference counts for: 2,000 answers."""
SLACK, THRESHOLD = 0.8, 6.0
"""What a block may lie off without being added up, and the sum that is an alarm, in standard errors. By simulation
(`python -m tests.serving.drift.alarm_rates`)."""
TOLERATED_LOG_RATIO, LEAST_ERROR = 0.2, 0.05
"""Answers 1.22 times as long as predicted are no matter for an alarm, however sure it is."""
LEAST_WORTH = 12.0
"""A block of which fewer answers can be told apart says too little, and is not judged."""
FARTHEST = 0.999
"""A correlation counts as no nearer to 1 than this: z has no end there."""


def _standardised(correlation: float, expected: float, worth: float, variance: float) -> float:
    here, there = (atanh(min(max(one, -FARTHEST), FARTHEST)) for one in (correlation, expected))
    return (here - there) * sqrt((worth - 4) / variance)


def _of_tau(block: Figures, expected: float) -> float:
    return _standardised(block.kendall_tau_b, expected, block.worth, 0.437)


def _of_static_gain(block: Figures, expected: float) -> float:
    return _standardised(block.static_gain, expected, block.worth, 3.4)


def _of_calibration(block: Figures, expected: float) -> float:
    beyond = abs(log_ratio := log(block.calibration / expected)) - TOLERATED_LOG_RATIO
    return copysign(max(beyond, 0.0), log_ratio) / max(block.calibration_error, LEAST_ERROR)


@dataclass(frozen=True)
class Rule:
    """How a figure is judged."""

    deviation: Callable[[Figures, float], float]
    """How many of its standard errors the figure of a block lies from what is expected of it."""
    direction: str
    """`down` where only a fall is bad, or `both`."""


RULES: Mapping[Watched, Rule] = {
    "kendall_tau_b": Rule(_of_tau, "down"),
    "static_gain": Rule(_of_static_gain, "down"),
    "calibration": Rule(_of_calibration, "both"),
}


class Detector:
    """Watches one figure of one ranker, block by block."""

    def __init__(self, watched: Watched) -> None:
        self._rule = RULES[watched]
        self._sums = self._begin()

    def add(self, block: Figures, expected: float) -> bool:
        """Take a block; whether it raises an alarm. Then it begins anew, and raises another while nothing changes."""
        if block.worth < LEAST_WORTH:
            return False
        self._sums.update(self._rule.deviation(block, expected))  # type: ignore[no-untyped-call]
        is_alarm = bool(self._sums.drift_detected)
        if is_alarm:
            self._sums = self._begin()
        return is_alarm

    def _begin(self) -> PageHinkley:
        direction = self._rule.direction
        sums = PageHinkley(min_instances=1, delta=SLACK, threshold=THRESHOLD, alpha=1.0, mode=direction)
        for _ in range(PRIOR_BLOCKS):
            sums.update(0.0)  # type: ignore[no-untyped-call]
        return sums
