"""The orders that a simulation compares: the place of each request, by what is known of it."""

from collections.abc import Iterable, Mapping

import numpy as np

from benchmarks.policies.cap import capped
from benchmarks.policies.places import mirrored, noisy_quantiles, places, shuffled_places
from benchmarks.policies.policy_list import Policy, parse_policy_list, parse_rankers
from benchmarks.policies.rivals import FITTED, RIVALS, Rivals
from benchmarks.policies.work import prompt_work_places
from benchmarks.simulation.config import SimulationConfig
from benchmarks.simulation.engine.intake import Order, Seconds
from benchmarks.simulation.workload import length_log_of
from registry.artefact.calibration import LengthDistribution
from registry.errors import InvalidInput
from registry.ranker import Ranker
from registry.store import load_ranker
from traffic.batch import Traffic
from traffic.read import rows_with_params

BUILT_IN = ("fcfs", "pars", "prompt_length", "prompt_work", *RIVALS, "noise", "control", "oracle")
BEFOREHAND = ("prompt_length", "prompt_work", *RIVALS, "control", "oracle")
"""Policies whose places are known before anything is sent; a ranker, or noise that stands for one, takes its time."""
MIRROR = "mirror"
"""The kind of order under which every second run of the control goes."""


def parse_policies(config: SimulationConfig) -> tuple[Policy, ...]:
    """The policies of a simulation.

    Raises:
        InvalidInput: they cannot be compared, or `pars` has no ranker.
    """
    found = parse_policy_list(config.policies, BUILT_IN, parse_rankers(config.rankers), config.patience_s)
    if config.ranker is None and any(one.kind == "pars" for one in found):
        raise InvalidInput(
            "pars orders by a ranker, but none is given; give ranker=URI, or take noise instead of pars."
        )
    return found


def rivals_of(policies: Iterable[Policy], config: SimulationConfig, traffic: Traffic) -> Rivals:
    """The rivals among the policies, with the places that they give to the prompts.

    Raises:
        InvalidInput: there are no prompts, or one is to be fitted and there are no training prompts.
    """
    kinds = {one.kind for one in policies} & set(RIVALS)
    if not kinds:
        return Rivals()
    if traffic.prompts is None:
        raise InvalidInput(
            f"{min(kinds)} finds requests by their prompts, but the traffic has none; leave it out of policies."
        )
    can_fit = config.lengths is not None and config.part == "test" and kinds & set(FITTED)
    train = length_log_of(config).part("train", seed=config.seed) if can_fit else None
    source = config.lengths or config.trace
    assert source is not None
    return Rivals.of(kinds, traffic.prompts, train, rows_with_params(source, config, config.model), config.seed)


def quantiles_of(
    kinds: set[str], config: SimulationConfig, traffic: Traffic, rivals: Rivals | None = None
) -> dict[str, Seconds | None]:
    """The place of each request of the traffic under each kind of order; None is first come, first served.

    Raises:
        InvalidInput: a ranker, but no prompts.
        RegistryError, InvalidRanker: a ranker cannot be used.
    """
    found: dict[str, Seconds | None] = {"fcfs": None}
    if "prompt_length" in kinds:
        found["prompt_length"] = places(traffic.prompt_tokens)
    if "prompt_work" in kinds:
        found["prompt_work"] = _prompt_work(config, traffic)
    if "oracle" in kinds:
        found["oracle"] = places(traffic.output_tokens)
    if "noise" in kinds:
        found["noise"] = _as_served(config, noisy_quantiles(traffic.output_tokens, config.tau, config.seed), traffic)
    if "control" in kinds:
        found |= _control(config, traffic)
    if rivals is not None:
        found |= rivals.quantiles_of(traffic.prompts or ())
    uris = {**parse_rankers(config.rankers), "pars": config.ranker or ""}
    for name in sorted(kinds & set(uris)):
        ranker = load_ranker(uris[name])
        found[name] = _as_served(config, _ranked(ranker, traffic, name), traffic, ranker.card.distribution)
    return found


def order_of(policy: Policy, quantiles: Mapping[str, Seconds | None], sent: np.ndarray, is_reversed: bool) -> Order:
    """A policy's order of the requests as they are sent; the control is mirrored where they are sent reversed."""
    known = quantiles[MIRROR if policy.kind == "control" and is_reversed else policy.kind]
    if known is None:
        return Order(patience_s=policy.patience_s)
    return Order(quantiles=known[sent], patience_s=policy.patience_s, is_ranked=policy.kind not in BEFOREHAND)


def _control(config: SimulationConfig, traffic: Traffic) -> dict[str, Seconds]:
    """The control and its mirror image: of a ranker of shuffled labels, or of lengths dealt out as its predictions."""
    distribution = None
    quantiles = shuffled_places(traffic.output_tokens, config.seed)
    if config.control:
        ranker = load_ranker(config.control)
        quantiles, distribution = _ranked(ranker, traffic, "control"), ranker.card.distribution
    both = {"control": quantiles, MIRROR: mirrored(quantiles)}
    return {kind: _as_served(config, one, traffic, distribution) for kind, one in both.items()}


def _as_served(
    config: SimulationConfig, quantiles: Seconds, traffic: Traffic, distribution: LengthDistribution | None = None
) -> Seconds:
    """The places that a server would give these; of predictions with the distribution of the lengths unless told.

    They are the same but where a leak is planted: there the recorded lengths are `max_tokens`, and cap.
    """
    if config.cap_by_max_tokens == "off":
        return quantiles
    return capped(quantiles, distribution or LengthDistribution.of(traffic.output_tokens), traffic.output_tokens)


def _prompt_work(config: SimulationConfig, traffic: Traffic) -> Seconds:
    cost = config.step_cost
    prompt_token_s = cost.per_token_s + cost.fixed_s / config.max_num_batched_tokens
    output_token_s = cost.per_token_s + cost.per_sequence_s + cost.fixed_s / config.max_num_seqs
    return prompt_work_places(traffic.prompt_tokens, traffic.output_tokens, prompt_token_s, output_token_s)


def _ranked(ranker: Ranker, traffic: Traffic, name: str) -> Seconds:
    if traffic.prompts is None:
        raise InvalidInput(f"{name} orders by a ranker, which reads prompts, but the traffic has none; take noise.")
    return ranker.quantiles_of(traffic.prompts, f"ranking ({name})")
