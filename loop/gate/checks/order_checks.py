"""How a challenger orders the requests, and how near its lengths are, beside the champion. Pure."""

from collections.abc import Iterator, Mapping

import numpy as np

from loop.fresh.fresh_requests import FreshRequests, Values
from loop.gate.checks.checked import Checked
from loop.gate.checks.differences import gain_differences, mean_difference, tau_difference
from loop.gate.checks.scored import Scored
from loop.gate.config import GateConfig
from registry.order.static_gain import STATIC_GAIN_S_PER_TOKEN
from registry.promotion import Difference, Finding, at_most, not_worse
from registry.ranker import Tier
from registry.store import CHALLENGER, CHAMPION
from training.judging.ranking_metrics import kendall_tau_b_interval, order_metrics

CALIBRATION_ERROR = "calibration_error"


def order_checks(config: GateConfig, requests: FreshRequests, scores: Mapping[str, Scored]) -> Checked:
    """Of the scores of the challenger and, if there is one, the champion, by who they are."""
    champion = scores.get(CHAMPION)
    findings = [_readable(config, scores[CHALLENGER])]
    if champion is None:
        findings += [_above_chance(requests, tier, one) for tier, one in scores[CHALLENGER].tokens.items()]
    else:
        findings += _beside(config, requests, scores[CHALLENGER], champion)
    return Checked(findings=tuple(findings), metrics=_figures(requests, scores))


def calibration_errors(predicted: Values, requests: FreshRequests) -> Values:
    """|log(predicted ÷ true)| of each request; of a cut answer what is certain, 0 where the prediction is beyond it."""
    errors = np.log(predicted / requests.output_tokens)
    return np.asarray(np.where(requests.is_censored, np.maximum(-errors, 0), np.abs(errors)))


def prefix(tier: Tier) -> str:
    """What the metrics of a tier begin with."""
    return "instant_" if tier == "instant" else ""


def _readable(config: GateConfig, challenger: Scored) -> Finding:
    tier, worst = max(challenger.unreadable.items(), key=lambda one: one[1])
    says = f"Of the requests the {tier} tier cannot read {worst:.1%}; {config.unreadable_share:.1%} is allowed."
    return at_most("unreadable_share", worst, config.unreadable_share, says)


def _above_chance(requests: FreshRequests, tier: Tier, tokens: Values) -> Finding:
    """There is no champion, so the queue is first come, first served: the order must be better than none."""
    low, high = kendall_tau_b_interval(tokens, requests.output_tokens, requests.is_censored, requests.groups)
    says = f"The {tier} tier's tau-b is between {low:.3f} and {high:.3f} on {len(requests):,} requests; an order that"
    is_met = bool(low > 0)
    says += " knows something" if is_met else " may know nothing, as this one may,"
    says += " has one surely above 0."
    name = f"{prefix(tier)}kendall_tau_b"
    return Finding(name=name, is_met=is_met, says=says, measured=float(low), bound=0.0)


def _beside(config: GateConfig, requests: FreshRequests, challenger: Scored, champion: Scored) -> Iterator[Finding]:
    for tier, tokens in challenger.tokens.items():
        other = champion.tokens.get(tier)
        if other is not None:
            yield from _of_tier(config, requests, tier, tokens, other)


def _of_tier(
    config: GateConfig, requests: FreshRequests, tier: Tier, tokens: Values, other: Values
) -> Iterator[Finding]:
    of, how = f" of the {tier} tier", (config.level, config.seed)
    tau = tau_difference(tokens, other, requests, *how)
    yield not_worse(f"{prefix(tier)}kendall_tau_b", f"tau-b{of}", tau, config.tau_margin)
    gain = gain_differences(tokens, other, requests, *how)[STATIC_GAIN_S_PER_TOKEN]
    yield not_worse(f"{prefix(tier)}{STATIC_GAIN_S_PER_TOKEN}", f"static gain{of}", gain, config.gain_margin)
    spared = calibration_errors(other, requests) - calibration_errors(tokens, requests)
    error: Difference = mean_difference(spared, requests.groups, *how)
    what = f"nearness of predicted lengths (less mean |log error|){of}"
    yield not_worse(f"{prefix(tier)}{CALIBRATION_ERROR}", what, error, config.calibration_margin)


def _figures(requests: FreshRequests, scores: Mapping[str, Scored]) -> dict[str, float]:
    found: dict[str, float] = {}
    for who, scored in scores.items():
        for tier, tokens in scored.tokens.items():
            metrics = order_metrics(tokens, requests.output_tokens, requests.is_censored)
            metrics[CALIBRATION_ERROR] = float(calibration_errors(tokens, requests).mean())
            found |= {f"{who}_{prefix(tier)}{name}": value for name, value in metrics.items()}
    return found
