"""What a retraining says in the end: what it did and why, in a few sentences."""

from dataclasses import dataclass

from loop.retraining.earlier import Past
from loop.retraining.ruling import Ruling
from loop.retraining.starting_weights import Start
from loop.retraining.stretch import Stretch


@dataclass(frozen=True)
class Retraining:
    """What was done."""

    name: str
    """Of the registered model."""
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
    stretch, until_s = done.stretch, done.past.until_s
    num_new = len(stretch.arrival_s) if until_s is None else stretch.num_after(until_s)
    what = "all new" if until_s is None else f"{num_new:,} new since the last retraining"
    return (
        f"{done.name}: {stretch.where}, {what}; the newest {stretch.num_test:,} ({_duration(stretch.test_days)}) were"
        f" kept for the test and {stretch.num_training:,} for the training."
    )


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
