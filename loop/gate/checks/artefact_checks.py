"""What can be said of a ranker without any request: it loads, is whole, meant for this LLM, itself here, and fast."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import get_args

import numpy as np

from loop.gate.checks.checked import Checked
from loop.gate.config import GateConfig
from loop.gate.contestants import Contest
from registry.promotion import Finding, at_most, fact
from registry.ranker import Ranker, Tier
from registry.request_features import Readable

TIMED_REQUESTS, ROUNDS = 50, 3
"""Each is read so often, by all in turn, and its best time counts: what else the machine does is not the ranker's."""
NOTICED_FROM = 0.2
"""Share of a bound below which a tier is fast enough, however much faster the champion's is."""

Clock = Callable[[], float]
"""Seconds, from any start."""


def loading_check(contest: Contest) -> Checked:
    """Whether the challenger can be had at all, whole and meant for this target LLM."""
    one = contest.challenger
    says = f"Version {one.version} is whole, and a ranker of {contest.target_llm}."
    finding = fact(
        "loads", one.ranker is not None, says if one.ranker is not None else f"It cannot be used: {one.fault}"
    )
    notes: tuple[str, ...] = ()
    if contest.champion is not None and contest.champion.ranker is None:
        notes = (f"The champion, version {contest.champion.version}, cannot be used here: {contest.champion.fault}",)
    return Checked(findings=(finding,), notes=notes)


def artefact_checks(
    config: GateConfig, rankers: Mapping[str, Ranker], views: Sequence[Readable], clock: Clock
) -> Checked:
    """Of the challenger beside the champion, if there is one; `views` are what they read against the clock."""
    times_ms = milliseconds(rankers, views[:TIMED_REQUESTS], clock)
    findings = [_scores_as_trained(config, rankers["challenger"]), *_tiers(rankers), *_fast(config, times_ms)]
    metrics = {f"{who}_{tier}_ms": taken_ms for (who, tier), taken_ms in times_ms.items()}
    return Checked(findings=tuple(findings), metrics=metrics)


def milliseconds(
    rankers: Mapping[str, Ranker], views: Sequence[Readable], clock: Clock
) -> dict[tuple[str, Tier], float]:
    """How long each tier takes for a request, by whose it is: the mean over requests of the best time of each."""
    found: dict[tuple[str, Tier], float] = {}
    for tier in get_args(Tier):  # one after the other: an encoder would leave no cache to an instant tier
        who_has_it = {who: ranker for who, ranker in rankers.items() if tier in ranker.tiers}
        best_s = {who: np.full(len(views), np.inf) for who in who_has_it}
        for column in [*range(len(views))] * ROUNDS:
            for who, ranker in who_has_it.items():
                taken_s = _seconds(ranker, tier, views[column], clock)
                best_s[who][column] = min(best_s[who][column], taken_s)
        found |= {(who, tier): float(one.mean() * 1000) for who, one in best_s.items()}
    return found


def _seconds(ranker: Ranker, tier: Tier, view: Readable, clock: Clock) -> float:
    """What cannot be read takes time, too."""
    began_s = clock()
    try:
        ranker.scorer_of(tier).score(view)
    except Exception:  # ONNX Runtime raises bare or private exception types
        return clock() - began_s
    return clock() - began_s


def _scores_as_trained(config: GateConfig, challenger: Ranker) -> Finding:
    error = challenger.reference_error
    if error is None:
        return fact("reference_error", True, "Its card holds no reference scores, as none of version 0.1.0 does.")
    says = f"Its scores lie {error:.4f} spreads from those of its training; {config.reference_error:g} is allowed."
    return at_most("reference_error", error, config.reference_error, says)


def _tiers(rankers: Mapping[str, Ranker]) -> Iterator[Finding]:
    champion = rankers.get("champion")
    if champion is not None and "instant" in champion.tiers:
        has_it = "instant" in rankers["challenger"].tiers
        says = f"The champion has an instant tier, and the challenger {'has one too' if has_it else 'has none'}."
        yield fact("instant_tier", has_it, says)


def _fast(config: GateConfig, times_ms: Mapping[tuple[str, Tier], float]) -> Iterator[Finding]:
    bounds_ms: Mapping[Tier, float] = {"encoder": config.encoder_ms, "instant": config.instant_ms}
    for (who, tier), taken_ms in times_ms.items():
        if who != "challenger":
            continue
        bound_ms, other_ms = bounds_ms[tier], times_ms.get(("champion", tier))
        beside = ""
        if other_ms is not None:
            bound_ms = min(bound_ms, max(config.slowdown * other_ms, NOTICED_FROM * bound_ms))
            beside = f" (the champion's {other_ms:.3f})"
        says = f"The {tier} tier takes {taken_ms:.3f} ms for a request{beside}; {bound_ms:.3f} is allowed."
        yield at_most(f"{tier}_ms", taken_ms, bound_ms, says)
