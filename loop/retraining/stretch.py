"""The stretch of traffic that a retraining is about: what trains, and what came after that and judges."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from loop.fresh.fresh_requests import Values, read_fresh
from loop.fresh.newest import DAY_S
from loop.retraining.config import RetrainConfig
from loop.retraining.drifted import drifted_since
from registry.errors import InvalidInput

TEST_SHARE = 0.2
"""Of the requests, where most of them came on the days that would test."""

ROUNDING_S = 1e-6


@dataclass(frozen=True)
class Stretch:
    """The arrivals of answered requests, in order; no text is held while a network is trained."""

    arrival_s: Values
    """Seconds since 1970."""
    test_from_s: float
    """What came then or later trains nothing."""
    where: str
    """Which requests they are, as a phrase."""
    digest: str
    """Of what they are."""
    model: str | None
    """How the log names the target LLM; None where it names none."""
    drifted_s: float | None = None
    """When the alarm was raised of which only what came since counts; None: all counts."""

    @property
    def since_s(self) -> float:
        """When the oldest came."""
        return float(self.arrival_s[0])

    @property
    def until_s(self) -> float:
        """When the newest came."""
        return float(self.arrival_s[-1])

    @property
    def num_training(self) -> int:
        """How many came before the test begins."""
        return self.num_before(self.test_from_s)

    @property
    def num_test(self) -> int:
        """How many came from then on."""
        return len(self.arrival_s) - self.num_training

    @property
    def test_days(self) -> float:
        """How long the test is, to its newest request; a trifle more, lest rounding leave its first one out."""
        return (self.until_s - self.test_from_s + ROUNDING_S) / DAY_S

    def num_before(self, moment_s: float) -> int:
        """How many came before a moment."""
        return int(np.searchsorted(self.arrival_s, moment_s))

    def num_after(self, moment_s: float) -> int:
        """How many came after a moment."""
        return len(self.arrival_s) - int(np.searchsorted(self.arrival_s, moment_s, side="right"))


def read_stretch(config: RetrainConfig) -> Stretch:
    """Read which requests there are: where a ranker has drifted, and enough came since, only those.

    Raises:
        InvalidInput: there is no journal or log, it holds no answered request with its text, or not when they came.
    """
    fresh = read_fresh(config)
    if np.isnan(fresh.arrival_s).any():
        unknown = int(np.isnan(fresh.arrival_s).sum())
        raise InvalidInput(
            f"a retraining keeps the newest requests for the test, so it must be known when they came, but"
            f" {unknown} of {len(fresh)} in {config.path} have no time in column {config.arrival_column!r}; name it by"
            " arrival_column, or train with `train` and promote with `promote`."
        )
    drifted_s = None if config.after_alarm == "off" else drifted_since(fresh)
    since = fresh.arrival_s if drifted_s is None else fresh.arrival_s[fresh.arrival_s >= drifted_s]
    counts = since if len(since) >= config.min_new else fresh.arrival_s
    return Stretch(
        arrival_s=counts,
        drifted_s=drifted_s if counts is since else None,
        test_from_s=test_from(counts, config.test_days, config.least_requests),
        where=fresh.where,
        digest=fresh.digest,
        model=fresh.model,
    )


def test_from(arrival_s: Values, test_days: float, at_least: int) -> float:
    """When the test begins: so many days before the newest, but at a fifth of the requests if half and more came since.

    It gets `at_least` so many, if they leave anything to train on.
    """
    num_requests = len(arrival_s)
    begin_s = float(arrival_s[-1]) - test_days * DAY_S
    if np.searchsorted(arrival_s, begin_s) < num_requests / 2:
        begin_s = float(arrival_s[int(num_requests * (1 - TEST_SHARE))])
    return min(begin_s, float(arrival_s[max(num_requests - at_least, num_requests // 2)]))


def moment(seconds: float) -> str:
    """A time as sentences have it."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
