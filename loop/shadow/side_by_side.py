"""All that is found of a challenger beside the champion, and what it says in sentences. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from loop.fresh.fresh_requests import Flags, FreshRequests, Values
from loop.fresh.pair_sums import PairSums
from loop.gate.checks.differences import gain_differences, tau_difference
from loop.gate.checks.scored import Scored
from loop.shadow.disagreements import Group, Groups, Request, groups_by_difference, requests_by_difference
from loop.shadow.rolling_tau import LEVEL, Point, by_answers, by_time
from registry.order.static_gain import STATIC_GAIN_S_PER_TOKEN
from registry.promotion import Difference
from registry.ranker import Tier
from registry.store import CHALLENGER, CHAMPION
from training.judging.ranking_metrics import KENDALL_TAU_B, order_metrics

SHOWN_GROUPS = 5
MOST_PAIRED = 20_000
"""Groups are looked at among so many requests at most, each of which is paired with all others."""
LEAST_UNSEEN = 100
"""Fewer requests are no evidence of their own."""


@dataclass(frozen=True)
class TierBeside:
    """One tier of both on all requests."""

    tier: Tier
    champion: Mapping[str, float]
    """Tau-b and static gains by their names, as the next one."""
    challenger: Mapping[str, float]
    differences: Mapping[str, Difference]
    """With 95 % intervals, session by session."""

    @property
    def sentence(self) -> str:
        """What it says."""
        tau, gain = (self._of(name) for name in (KENDALL_TAU_B, STATIC_GAIN_S_PER_TOKEN))
        return f"The {self.tier} tier's tau-b is {tau}, its static gain (s per token) {gain}."

    @property
    def metrics(self) -> dict[str, float]:
        """By the names that MLflow knows."""
        found = {f"{CHAMPION}_{self.tier}_{name}": value for name, value in self.champion.items()}
        found |= {f"{CHALLENGER}_{self.tier}_{name}": value for name, value in self.challenger.items()}
        for name, one in self.differences.items():
            found |= {f"difference_{self.tier}_{name}{end}": getattr(one, part) for end, part in _ENDS.items()}
        return found

    def _of(self, name: str) -> str:
        return f"{self.challenger[name]:.3f} instead of {self.champion[name]:.3f} ({self.differences[name].words})"


_ENDS = {"": "value", "_low": "low", "_high": "high"}


@dataclass(frozen=True)
class SideBySide:
    """Of some requests and what both say of them."""

    requests: FreshRequests
    scores: Mapping[str, Scored]
    tiers: tuple[Tier, ...]
    """That both have, the best first."""
    is_unseen: Flags
    """Of each request, whether it can have trained neither."""
    window: int
    seed: int = 0

    @cached_property
    def of_tiers(self) -> tuple[TierBeside, ...]:
        """Both on all requests."""
        return tuple(self._of_tier(tier, np.ones(len(self.requests), dtype=np.bool_)) for tier in self.tiers)

    @cached_property
    def of_unseen(self) -> TierBeside | None:
        """The first tier on the requests that can have trained neither; None where there are too few, or all are."""
        is_told = LEAST_UNSEEN <= self.num_unseen < len(self.requests)
        return self._of_tier(self.tiers[0], self.is_unseen) if is_told else None

    @property
    def num_unseen(self) -> int:
        """Requests that can have trained neither."""
        return int(self.is_unseen.sum())

    @cached_property
    def by_answers(self) -> Mapping[Tier, list[Point]]:
        """Rolling, by number of answers."""
        return {tier: by_answers(*self._both(tier), self.requests, self.window, self.seed) for tier in self.tiers}

    @cached_property
    def by_time(self) -> Mapping[Tier, list[Point]]:
        """Rolling, by time; nothing where arrivals are not known."""
        return {tier: by_time(*self._both(tier), self.requests, self.seed) for tier in self.tiers}

    def groups(self, groups: Groups, least: int) -> list[Group]:
        """Where the two differ most, by the first tier, on the newest `MOST_PAIRED` requests."""
        newest = slice(-MOST_PAIRED, None)
        its = self.requests.take(np.arange(len(self.requests))[newest])
        challenger, champion = (one[newest] for one in self._both(self.tiers[0]))
        pairs = PairSums.of(challenger, champion, its, self.seed)
        return groups_by_difference(pairs, its, {kind: names[newest] for kind, names in groups.items()}, least)

    @property
    def differing_requests(self) -> list[Request]:
        """Single requests on which they differ most."""
        return requests_by_difference(*self._both(self.tiers[0]), self.requests)

    @property
    def judged(self) -> TierBeside:
        """What the verdict goes by: what can have trained neither, or where that is too little all."""
        return self.of_unseen or self.of_tiers[0]

    @property
    def verdict(self) -> str:
        """In a line."""
        one, tau = self.judged, self.judged.differences[KENDALL_TAU_B]
        taus = f"tau-b {one.challenger[KENDALL_TAU_B]:.3f} instead of {one.champion[KENDALL_TAU_B]:.3f}"
        taus += "" if self.num_unseen >= LEAST_UNSEEN else ", but one may have been trained on these requests"
        if tau.low > 0:
            return f"The challenger orders better: {taus}"
        return f"The challenger orders worse: {taus}" if tau.high < 0 else f"No sure difference: {taus}"

    @property
    def is_worse(self) -> bool:
        """Whether the challenger surely is."""
        return self.judged.differences[KENDALL_TAU_B].high < 0

    @property
    def seen(self) -> str:
        """Which requests can have trained one of them, and what that hides: a sentence."""
        whole, unseen = len(self.requests), self.num_unseen
        if unseen == whole:
            return "None of these requests can have trained either ranker."
        said = (
            f"Of the {whole:,} requests {unseen:,} can have trained neither ranker (they came later, or by their hash)"
        )
        if self.of_unseen is None:
            return f"{said}, too few to be judged by: whatever trained one of them flatters it here."
        return f"{said}: on these alone the verdict is made. {self.of_unseen.sentence}"

    def _both(self, tier: Tier) -> tuple[Values, Values]:
        return self.scores[CHALLENGER].tokens[tier], self.scores[CHAMPION].tokens[tier]

    def _of_tier(self, tier: Tier, flags: Flags) -> TierBeside:
        challenger, champion = (one[flags] for one in self._both(tier))
        its = self.requests.take(flags)
        own, others = (order_metrics(one, its.output_tokens, its.is_censored) for one in (challenger, champion))
        differences = {KENDALL_TAU_B: tau_difference(challenger, champion, its, LEVEL, self.seed)}
        differences |= gain_differences(challenger, champion, its, LEVEL, self.seed)
        return TierBeside(tier, others, own, differences)


def of_groups(groups: list[Group]) -> Iterator[str]:
    """Sentences: where the two surely differ, or that they do not."""
    sure = [one for one in groups if one.is_sure]
    if not sure:
        yield (
            f"Of {len(groups)} groups (templates, tenants, features) the two order none surely otherwise among all"
            " requests."
        )
        return
    shown = "; ".join(one.words for one in sure[:SHOWN_GROUPS])
    yield f"They differ most on {shown}. In all {len(sure)} of {len(groups)} groups surely differ."
