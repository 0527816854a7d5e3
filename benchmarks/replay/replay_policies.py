"""Which policies a replay compares."""

from benchmarks.policies.policy_list import Policy, parse_policy_list, parse_rankers, with_baseline
from benchmarks.policies.rivals import RIVALS
from benchmarks.replay.config import ReplayConfig
from registry.errors import InvalidInput

SERVERS_OWN = ("pars", "control", "endpoint")
"""Policies whose order the server keeps: nothing is sent with their requests."""
NEED_COST = ("prompt_work", "oracle_work", "dealt_work")
"""Policies that go by what a request truly costs."""
BUILT_IN = ("fcfs", "control", "pars", "prompt_length", *RIVALS, "oracle", *NEED_COST)
"""Policies that need no ranker to be given. `endpoint` stands alone."""


def parse_policies(config: ReplayConfig) -> tuple[Policy, ...]:
    """The policies of a replay.

    Raises:
        InvalidInput: they cannot be compared, `pars` has another patience than the server, or one needs a cost.
    """
    texts = [one.strip() for one in config.policies.split(",")]
    if texts == ["endpoint"]:
        if config.rankers:
            raise InvalidInput(
                f"an endpoint keeps its own order, but got rankers={','.join(config.rankers)}; leave them out."
            )
        return (Policy("endpoint", "endpoint", config.patience_s),)
    if "endpoint" in texts:
        raise InvalidInput(
            f"an endpoint's own order is compared with no other, but got {config.policies!r}; give policies=endpoint,"
            " or url=fcfs=ADDRESS,pars=ADDRESS."
        )
    found = parse_policy_list(config.policies, BUILT_IN, parse_rankers(config.rankers), config.patience_s)
    if wrong := [one.name for one in found if one.kind == "pars" and one.name != "pars"]:
        raise InvalidInput(f"pars has the server's patience, but got {wrong[0]!r}; give patience_s=SECONDS.")
    if config.cost is None and (unknown := [one.name for one in found if one.kind in NEED_COST]):
        raise InvalidInput(f"{unknown[0]} goes by what a request costs, but no cost is given; give cost=NAME_OR_FILE.")
    return with_baseline(found, config.patience_s, config.is_by_work)
