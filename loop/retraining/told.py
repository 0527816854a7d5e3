"""What a retraining says in the end: what it did and why, in a few sentences."""

from dataclasses import dataclass

from loop.retraining.earlier import Past
from loop.retraining.ruling import Ruling
from loop.retraining.starting_weights import Start
from loop.retraining.stretch import Stretch, moment


@dataclass(frozen=True)
class Retraining:
    """What was done."""

    stretch: Stretch
    past: Past
    start: Start
    version: int
    is_left_over: bool
    """Whether an earlier start trained it, and was killed before the gate judged it."""
    ruling: Ruling
    champion: int | None
    """Who is served now."""


def told(done: Retraining) -> str:
    """Sentences, a line for each step."""
    return "\n".join([_requests(done), _training(done), *done.ruling.says, _served(done)])


def _requests(done: Retraining) -> str:
    stretch = done.stretch
    return (
        f"{done.past.name}: {stretch.where}, {_which(stretch, done.past.until_s)}; the newest {stretch.num_test:,}"
        f" ({_duration(stretch.test_days)}) were kept for the test and {stretch.num_training:,} for the training."
    )


def _which(stretch: Stretch, until_s: float | None) -> str:
    if stretch.drifted_s is not None:
        return (
            f"{len(stretch.arrival_s):,} of them since the alarm of {moment(stretch.drifted_s)}, and only these count"
        )
    return "all new" if until_s is None else f"{stretch.num_after(until_s):,} of them new since the last retraining"


def _training(done: Retraining) -> str:
    if done.is_left_over:
        return f"Version {done.version} was trained on them by an earlier start, which ended before it was judged."
    return f"Version {done.version} was trained on them, {done.start.says}."


def _served(done: Retraining) -> str:
    if done.ruling.is_promoted:
        return f"Version {done.champion} is the champion now; running servers take it over within seconds."
    if done.champion is None:
        return "There is no champion still: requests are served first come, first served."
    return f"Version {done.champion} stays the champion."


def _duration(days: float) -> str:
    hours = 24 * days
    if days >= 2:
        return f"{days:.1f} days"
    return f"{hours:.1f} hours" if hours >= 2 else f"{60 * hours:.0f} minutes"
