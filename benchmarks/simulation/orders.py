"""The orders that a simulation compares, by what is known of each request."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np

from benchmarks.policies.places import places
from benchmarks.policies.policy_list import (
    CONTROL,
    DEALT_WORK,
    MIRROR_OF,
    Policy,
    parse_policy_list,
    parse_rankers,
    with_baseline,
)
from benchmarks.policies.rivals import FITTED, RIVALS, Rivals
from benchmarks.policies.work import prompt_work_places, work_places
from benchmarks.simulation.config import SimulationConfig
from benchmarks.simulation.engine.order import Order, Places
from benchmarks.simulation.tiers import Tiers
from benchmarks.simulation.workload import length_log_of
from registry.errors import InvalidInput
from traffic.batch import Traffic
from traffic.read import rows_with_params

OF_TIERS = ("pars", "noise", "instant", "encoder", "beforehand")
"""Orders of a ranker, or of the noise that stands for one."""
TRUE = ("oracle", "oracle_work")
BUILT_IN = ("fcfs", "prompt_length", "prompt_work", *RIVALS, *OF_TIERS, CONTROL, DEALT_WORK, *TRUE)


def parse_policies(config: SimulationConfig) -> tuple[Policy, ...]:
    """The policies of a simulation; where they go by work, with what a control of that is held against.

    Raises:
        InvalidInput: they cannot be compared, or `pars` has no ranker.
    """
    found = parse_policy_list(config.policies, BUILT_IN, parse_rankers(config.rankers), config.patience_s)
    if config.ranker is None and any(one.kind == "pars" for one in found):
        raise InvalidInput(
            "pars orders by a ranker, but none is given; give ranker=URI, or take noise instead of pars."
        )
    return with_baseline(found, config.patience_s, config.order_by == "work")


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


def orders_of(
    kinds: set[str], config: SimulationConfig, traffic: Traffic, rivals: Rivals | None = None
) -> dict[str, Order]:
    """Each kind of order of the requests of the traffic.

    Raises:
        InvalidInput: a ranker, but no prompts.
        RegistryError, InvalidRanker: a ranker cannot be used.
    """
    quantiles = _known(kinds, config, traffic)
    if rivals is not None:
        quantiles |= rivals.quantiles_of(traffic.prompts or ())
    tiers = Tiers(config, traffic)
    found = {"fcfs": Order()} | {kind: Order(quantiles=one) for kind, one in quantiles.items()}
    for kind, both in ((CONTROL, tiers.of_control), (DEALT_WORK, tiers.of_dealt_work)):
        if kind in kinds:
            found[kind], found[MIRROR_OF[kind]] = both()
    for name in sorted(kinds & set(OF_TIERS)):
        found[name] = tiers.order(name)
    for name, uri in parse_rankers(config.rankers).items():
        found[name] = tiers.of_ranker(uri, name)
    return found


def order_of(policy: Policy, orders: Mapping[str, Order], sent: np.ndarray, is_reversed: bool) -> Order:
    """A policy's order of the requests as they are sent; what knows nothing is mirrored in runs that are reversed."""
    known = orders[MIRROR_OF.get(policy.kind, policy.kind) if is_reversed else policy.kind]
    return replace(known.take(sent), patience_s=policy.patience_s)


def _known(kinds: set[str], config: SimulationConfig, traffic: Traffic) -> dict[str, Places]:
    """The places that are known before anything is sent."""
    sizes = (traffic.prompt_tokens, traffic.output_tokens)
    makers: dict[str, Callable[[], Places]] = {
        "prompt_length": lambda: places(traffic.prompt_tokens),
        "prompt_work": lambda: prompt_work_places(config.token_price, *sizes),
        "oracle": lambda: places(traffic.output_tokens),
        "oracle_work": lambda: work_places(config.token_price, *sizes),
    }
    return {kind: make() for kind, make in makers.items() if kind in kinds}
