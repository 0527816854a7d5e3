"""What the answers of one target LLM say of the ranker that placed them, as they come. Pure: times are passed in."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from typing import get_args

from serving.drift.detectors import BLOCK_ANSWERS, Detector
from serving.drift.figures import Figures, figures_of, placed_tau_b, stability_index
from serving.drift.watched_answer import Reference, Watched, WatchedAnswer

RECENT_ANSWERS = 500
"""What the rolling figures are of."""
LEAST_FOR_STABILITY = 250
"""Fewer answers make a stability index by chance alone: of so many it is 0.04."""
QUIET_BLOCKS = 20
"""An alarm stands until as many blocks in a row, of 1,000 answers, have raised none."""
WATCHED: tuple[Watched, ...] = get_args(Watched)


@dataclass(frozen=True)
class Block:
    """Answers in a row, judged together."""

    end: int
    """How many answers have come by its end."""
    at_s: float
    figures: Figures
    expected: Mapping[Watched, float]
    """Where the card says something."""
    raised: tuple[Watched, ...]
    """What it has raised alarms of, also where one stood."""
    begun: tuple[Watched, ...]
    """Those of them of which none stood."""


@dataclass
class Alarm:
    """That a figure has left its reference."""

    since_s: float
    """When it was raised, in seconds since 1970."""
    quiet_blocks: int = 0
    """In a row, up to now."""


class TargetDrift:
    """Watches the answers that one ranker placed."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self.num_answers = 0
        self.alarms: dict[Watched, Alarm] = {}
        """Those that stand."""
        self.recent: deque[WatchedAnswer] = deque(maxlen=RECENT_ANSWERS)
        self._block: list[WatchedAnswer] = []
        self._detectors = {watched: Detector(watched) for watched in WATCHED}

    def add(self, answer: WatchedAnswer) -> Block | None:
        """Take an answer; the block that it was the last of."""
        self.num_answers += 1
        self.recent.append(answer)
        self._block.append(answer)
        if len(self._block) < BLOCK_ANSWERS:
            return None
        answers, self._block = self._block, []
        figures = figures_of(answers)
        expected = self._expected(answers)
        raised = tuple(one for one, value in expected.items() if self._detectors[one].add(figures, value))
        begun = tuple(one for one in raised if one not in self.alarms)
        self._hear(raised, answer.at_s)
        return Block(self.num_answers, answer.at_s, figures, expected, raised, begun)

    @property
    def expected(self) -> Mapping[Watched, float]:
        """What the card lets one expect of the last answers."""
        return self._expected(self.recent)

    def rolling(self) -> Figures:
        """The figures of the last answers, of which there is at least one."""
        return figures_of(list(self.recent))

    def placed_tau_b(self) -> float:
        """Tau-b of what placed the last answers: the ranker with the running correction."""
        return placed_tau_b(list(self.recent))

    def stability_index(self) -> float:
        """How far the last requests are of other kinds than those that the ranker was validated on; NaN of too few."""
        if len(self.recent) < LEAST_FOR_STABILITY:
            return nan
        return stability_index(list(self.recent), self.reference.distribution)

    def _expected(self, answers: "deque[WatchedAnswer] | list[WatchedAnswer]") -> Mapping[Watched, float]:
        tiers = [one.tier for one in answers]
        found = {watched: self.reference.expected(watched, tiers) for watched in WATCHED}
        return {watched: value for watched, value in found.items() if value is not None}

    def _hear(self, raised: tuple[Watched, ...], at_s: float) -> None:
        for watched in raised:
            self.alarms.setdefault(watched, Alarm(at_s)).quiet_blocks = -1
        for watched, alarm in list(self.alarms.items()):
            alarm.quiet_blocks += 1
            if alarm.quiet_blocks >= QUIET_BLOCKS:
                del self.alarms[watched]
