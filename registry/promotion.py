"""Is a challenger good enough to be served? What was found of it, and the decision that follows. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

Outcome = Literal["promoted", "refused", "forced"]

GATE_TAG = "gate"
"""Of a version: the `Outcome` of the last decision; a champion without it has passed no gate."""
GATE_RUN_TAG = "gate_run"
"""Of a version: the id of the run that holds the decision."""
GATE_REASON_TAG = "gate_reason"
"""Of a version: the decision in a sentence."""


class Difference(NamedTuple):
    """How much better the challenger is than the champion on the same requests, below 0 if it is worse.

    Each bound is one-sided: with the stated confidence the truth is above `low`, and with the same below `high`.
    """

    value: float
    low: float
    high: float

    @property
    def words(self) -> str:
        """For a sentence."""
        return f"{self.value:+.3f} ({self.low:+.3f} to {self.high:+.3f})"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    name: str
    """As the run's metrics call it."""
    is_met: bool
    says: str
    """What was measured and what is required: a sentence."""
    measured: float | None = None
    """None where it is no number."""
    bound: float | None = None
    """What `measured` is held against."""


def fact(name: str, is_met: bool, says: str) -> Finding:
    """What is so or not."""
    return Finding(name=name, is_met=is_met, says=says)


def at_most(name: str, measured: float, bound: float, says: str) -> Finding:
    """Met up to the bound; NaN is not."""
    return Finding(name=name, is_met=bool(measured <= bound), says=says, measured=float(measured), bound=bound)


def not_worse(name: str, what: str, difference: Difference, margin: float) -> Finding:
    """Met where the challenger is surely not worse by more than the margin (non-inferiority): the proof is up to it."""
    is_met = bool(difference.low >= -margin)
    verdict = "is not worse" if is_met else "is worse" if difference.high < -margin else "may be worse"
    says = (
        f"In {what} the challenger {verdict} than the champion: {difference.words}, which must surely be at least"
        f" {-margin:g}."
    )
    return Finding(name=name, is_met=is_met, says=says, measured=float(difference.low), bound=-margin)


def not_clearly_worse(name: str, what: str, difference: Difference, margin: float) -> Finding:
    """Met unless the challenger is surely worse by more than the margin: what is measured on few is uncertain."""
    is_met = bool(difference.high >= -margin)
    verdict = "is not clearly worse" if is_met else "is worse"
    says = f"{what} the challenger {verdict} than the champion: {difference.words}; {-margin:g} is allowed."
    return Finding(name=name, is_met=is_met, says=says, measured=float(difference.high), bound=-margin)


@dataclass(frozen=True)
class Decision:
    """Whether the challenger becomes the champion, and why."""

    findings: tuple[Finding, ...]
    force: str | None = None
    """Why it is promoted whatever was found; None: it is not."""

    @property
    def is_good(self) -> bool:
        """Whether everything that was looked at is as required."""
        return all(one.is_met for one in self.findings)

    @property
    def is_promoted(self) -> bool:
        """Whether it becomes the champion."""
        return self.outcome != "refused"

    @property
    def outcome(self) -> Outcome:
        """In a word; who passes by itself needed no force."""
        if self.is_good:
            return "promoted"
        return "refused" if self.force is None else "forced"

    @property
    def reasons(self) -> tuple[str, ...]:
        """What speaks against it: sentences; none where all is as required."""
        return tuple(one.says for one in self.findings if not one.is_met)

    @property
    def sentence(self) -> str:
        """The decision in one line."""
        names = ", ".join(one.name for one in self.findings)
        against = " ".join(self.reasons)
        if self.outcome == "promoted":
            return f"Promoted: everything that was looked at is as required ({names})."
        return f"Refused: {against}" if self.outcome == "refused" else f"Forced ({self.force}), in spite of: {against}"


def decide(findings: Sequence[Finding], force: str | None = None) -> Decision:
    """A challenger is promoted if nothing speaks against it, or if somebody insists and says why."""
    return Decision(tuple(findings), force)
