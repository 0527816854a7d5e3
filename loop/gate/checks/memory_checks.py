"""Whether a challenger knows by heart what it is judged on, whatever its card and the registry say. Pure.

Who has learned requests by heart orders them far better than those that it cannot know, and than its own test said. As
traffic may be easier or harder than that, what the champion shows of it, too, is taken off.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from loop.fresh.fresh_requests import FreshRequests, Values
from loop.gate.checks.checked import Checked
from loop.gate.config import GateConfig
from loop.gate.judged.judged_requests import Evidence, can_be_ordered
from registry.artefact.card import RankerCard
from registry.promotion import Finding, at_most
from training.judging.ranking_metrics import KENDALL_TAU_B, kendall_tau_b
from training.judging.statistics.jackknife import blocks_of, interval, left_out_tau_b

Tau = tuple[float, float]
"""Of some requests, and how far its one-sided bound is away."""


def memory_checks(
    config: GateConfig,
    evidence: Evidence,
    of_judged: Mapping[str, Values],
    of_suspects: Mapping[str, Values],
    cards: Mapping[str, RankerCard],
) -> Checked:
    """Of the encoders of the challenger and, if there is one, the champion, by who they are: their predictions."""
    findings = [
        *_of_suspects(config, evidence, of_judged, of_suspects),
        *_of_reference(config, evidence, of_judged, cards),
    ]
    return Checked(findings=tuple(findings))


def _of_suspects(
    config: GateConfig, evidence: Evidence, of_judged: Mapping[str, Values], of_suspects: Mapping[str, Values]
) -> Iterator[Finding]:
    sure = evidence.judged.take(evidence.is_sure)
    if not (_is_enough(config, sure) and _is_enough(config, evidence.suspects)):
        return
    gaps = {}
    for who, tokens in of_suspects.items():
        (tau, reach), (other, its) = (
            _tau(config, tokens, evidence.suspects),
            _tau(config, of_judged[who][evidence.is_sure], sure),
        )
        gaps[who] = (tau - other, float(np.hypot(reach, its)))
    what = f"{len(evidence.suspects):,} requests that it could have learned by heart than on those that it could not"
    yield _finding("memory", what, gaps, config.memory_margin)


def _of_reference(
    config: GateConfig, evidence: Evidence, of_judged: Mapping[str, Values], cards: Mapping[str, RankerCard]
) -> Iterator[Finding]:
    """Without a champion nobody knows whether the traffic is only easier than the test was."""
    older = evidence.judged.take(evidence.is_older)
    stated = {who: card.metrics[KENDALL_TAU_B] for who, card in cards.items() if KENDALL_TAU_B in card.metrics}
    if len(stated) < 2 or not _is_enough(config, older):
        return
    gaps = {}
    for who, tokens in of_judged.items():
        tau, reach = _tau(config, tokens[evidence.is_older], older)
        gaps[who] = (tau - stated[who], reach)
    what = f"{len(older):,} requests that are older than itself than its own test said"
    yield _finding("memory_of_reference", what, gaps, config.memory_margin)


def _finding(name: str, what: str, gaps: Mapping[str, Tau], margin: float) -> Finding:
    gap, reach = gaps["challenger"]
    natural = max(0.0, gaps["champion"][0]) if "champion" in gaps else 0.0
    low = gap - natural - reach
    says = (
        f"The challenger's tau-b is higher by {gap:+.3f} on {what} (the champion's: {natural:+.3f}), surely by"
        f" {low:+.3f} more; {margin:g} is allowed, beyond which it knows them by heart."
    )
    return at_most(name, low, margin, says)


def _is_enough(config: GateConfig, requests: FreshRequests) -> bool:
    return len(requests) >= config.least_tenant_requests and can_be_ordered(requests)


def _tau(config: GateConfig, tokens: Values, requests: FreshRequests) -> Tau:
    true, is_cut = requests.output_tokens, requests.is_censored
    tau = kendall_tau_b(tokens, true, is_cut)
    left_out = left_out_tau_b(tokens, true, is_cut, blocks_of(requests.groups, config.seed))
    return tau, interval(tau, left_out, np.inf, config.level)[1] - tau
