"""Since when rankers are not what their cards say: what was answered before teaches habits that are given up."""

from loop.fresh.fresh_requests import FreshRequests
from loop.watch.watched_journal import Cards
from loop.watch.watched_stretch import Stretch, stretches


def drifted_since(fresh: FreshRequests) -> float | None:
    """When the last alarm was raised, by the server's own detectors; None if none stood at the end of any ranker.

    That of an earlier ranker counts too: it was replaced, but what came before its alarm is no younger for that.
    """
    return max(filter(None, map(_alarmed_s, stretches(fresh, Cards().of))), default=None)


def _alarmed_s(stretch: Stretch) -> float | None:
    return min((alarm.since_s for alarm in stretch.drift.alarms.values()), default=None)
