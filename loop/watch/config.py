"""The settings of the watch over a journal; the command line and MLproject read them from here."""

from dataclasses import dataclass

from loop.fresh.config import FreshSource


@dataclass(frozen=True, kw_only=True)
class WatchConfig(FreshSource):
    """Whose answers, and what an alarm is to the caller."""

    max_requests: int = 100_000
    """The newest requests of these days, at most."""
    fail_on_alarm: bool = False
    """On: the command ends with exit code 1 where an alarm stands, for a cron job that is to report it."""
