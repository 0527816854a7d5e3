"""Which policies a replay compares, and whose rankers they need."""

from collections.abc import Iterable

from benchmarks.config import ReplayConfig
from benchmarks.policies import Policy, parse_rankers, read_policies

SERVERS_OWN = ("pars", "endpoint")
"""Policies whose order the server keeps: nothing is sent with their requests."""
BUILT_IN = ("fcfs", "control", "pars", "prompt_length", "oracle", "endpoint")


def parse_policies(config: ReplayConfig) -> tuple[Policy, ...]:
    """The policies of a replay.

    Raises:
        ValueError: an unknown name, no fcfs, `endpoint` beside others, or a patience that only the server has.
    """
    if config.policies.strip() == "endpoint":
        return (Policy("endpoint", "endpoint", config.patience_s),)
    known = [*(one for one in BUILT_IN if one != "endpoint"), *parse_rankers(config.rankers, BUILT_IN)]
    found = read_policies(config.policies, known, config.patience_s)
    if wrong := [one.name for one in found if one.kind == "pars" and one.name != "pars"]:
        raise ValueError(f"pars has the server's patience, but got {wrong[0]!r}; give patience_s=SECONDS.")
    return found


def uris_of(policies: Iterable[Policy], config: ReplayConfig) -> dict[str, str]:
    """Where the rankers are that these policies need, by the name that `rankers` gives them."""
    kinds = {policy.kind for policy in policies}
    return {name: uri for name, uri in parse_rankers(config.rankers, BUILT_IN).items() if name in kinds}
