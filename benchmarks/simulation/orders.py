"""The orders that a simulation compares: the place of each request, by what is known of it."""

from collections.abc import Iterable

import numpy as np

from benchmarks.policies.places import mirrored, noisy_quantiles, places, shuffled_places
from benchmarks.policies.policy_list import Policy, parse_policy_list, parse_rankers
from benchmarks.policies.rivals import FITTED, RIVALS, Rivals
from benchmarks.simulation.config import SimulationConfig
from benchmarks.simulation.intake import Order, Seconds
from benchmarks.simulation.workload import length_log_of
from registry.errors import InvalidInput
from registry.ranker import Ranker
from registry.store import load_ranker
from traffic.batch import Traffic
from traffic.read import rows_with_params

BUILT_IN = ("fcfs", "pars", "prompt_length", *RIVALS, "noise", "control", "oracle")
BEFOREHAND = ("prompt_length", *RIVALS, "control", "oracle")
"""Policies whose places are known before anything is sent; a ranker, or noise that stands for one, takes its time."""


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
    if "oracle" in kinds:
        found["oracle"] = places(traffic.output_tokens)
    if "noise" in kinds:
        found["noise"] = noisy_quantiles(traffic.output_tokens, config.tau, config.seed)
    if "control" in kinds:
        found["control"] = _control(config, traffic)
    if rivals is not None:
        found |= rivals.quantiles_of(traffic.prompts or ())
    uris = {**parse_rankers(config.rankers), "pars": config.ranker or ""}
    for name in sorted(kinds & set(uris)):
        found[name] = _ranked(load_ranker(uris[name]), traffic, name)
    return found


def order_of(policy: Policy, quantiles: Seconds | None, sent: np.ndarray, is_reversed: bool) -> Order:
    """A policy's order of the requests as they are sent; the control is mirrored where they are sent reversed."""
    if quantiles is None:
        return Order(patience_s=policy.patience_s)
    taken = quantiles[sent]
    if policy.kind == "control" and is_reversed:
        taken = mirrored(taken)
    return Order(quantiles=taken, patience_s=policy.patience_s, is_ranked=policy.kind not in BEFOREHAND)


def _control(config: SimulationConfig, traffic: Traffic) -> Seconds:
    if config.control:
        return _ranked(load_ranker(config.control), traffic, "control")
    return shuffled_places(traffic.output_tokens, config.seed)


def _ranked(ranker: Ranker, traffic: Traffic, name: str) -> Seconds:
    if traffic.prompts is None:
        raise InvalidInput(f"{name} orders by a ranker, which reads prompts, but the traffic has none; take noise.")
    return ranker.quantiles_of(traffic.prompts, f"ranking ({name})")
