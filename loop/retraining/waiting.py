"""Whether there is anything to do for a retraining. Pure."""

from loop.retraining.config import RetrainConfig
from loop.retraining.earlier import Past
from loop.retraining.idle import Idle
from loop.retraining.stretch import Stretch, moment

AGAIN = "--again retrains all the same."


def require_due(config: RetrainConfig, stretch: Stretch, past: Past) -> None:
    """Go on only if a retraining is due: enough answers are new, or a version of theirs was not judged yet.

    Raises:
        Idle: it is not.
    """
    there = past.of(stretch.digest)
    if config.again or (there is not None and not there.is_settled):
        return
    if there is not None:
        raise Idle(
            f"Nothing to do: {stretch.where} are those of version {there.number}, which was {there.gate}"
            f" beside {_beside(there.champion)}. {AGAIN}"
        )
    num_new = len(stretch.arrival_s) if past.until_s is None else stretch.num_after(past.until_s)
    if num_new < config.min_new:
        raise Idle(
            f"Nothing to do: {num_new:,} of {stretch.where} are new{_since(past.until_s)}, but min_new={config.min_new}"
            f" are needed: {config.min_new - num_new:,} more. {AGAIN}"
        )


def _beside(champion: str) -> str:
    return f"champion {champion}" if champion.isdecimal() else "no champion"


def _since(moment_s: float | None) -> str:
    if moment_s is None:
        return ""
    return f" since the last retraining (they came after {moment(moment_s)})"
