"""Which policies a replay compares."""

from benchmarks.policies.policy_list import Policy, parse_policy_list, parse_rankers
from benchmarks.policies.rivals import RIVALS
from benchmarks.replay.config import ReplayConfig
from registry.errors import InvalidInput

SERVERS_OWN = ("pars", "control", "endpoint")
"""Policies whose order the server keeps: nothing is sent with their requests."""
BUILT_IN = ("fcfs", "control", "pars", "prompt_length", *RIVALS, "oracle")
"""Policies that need no ranker to be given. `endpoint` stands alone."""


def parse_policies(config: ReplayConfig) -> tuple[Policy, ...]:
    """The policies of a replay.

    Raises:
        InvalidInput: they cannot be compared, or `pars` has another patience than the server.
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
    return found
