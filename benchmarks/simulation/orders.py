"""The orders that a simulation compares: the place of each request, by what is known of it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.places import noisy_quantiles, places, shuffled_places
from benchmarks.simulation.config import SimulationConfig
from benchmarks.simulation.intake import Order, Seconds
from benchmarks.simulation.workload import Workload
from registry.ranker import Ranker
from registry.store import load_ranker

BUILT_IN = ("fcfs", "pars", "prompt_length", "noise", "control", "oracle")


@dataclass(frozen=True)
class Policy:
    """One order by its name in the table, with its patience."""

    name: str
    kind: str
    patience_s: float


def parse_policies(config: SimulationConfig) -> tuple[Policy, ...]:
    """Read the comma-separated list; `fcfs`, which all others are compared with, must be in it and comes first.

    Raises:
        ValueError: an unknown name, one without its ranker, or no fcfs.
    """
    known = [*BUILT_IN, *parse_rankers(config.rankers)]
    names = list(dict.fromkeys(name.strip() for name in config.policies.split(",") if name.strip()))
    if any(name.partition("@")[0] not in known for name in names) or "fcfs" not in names:
        raise ValueError(f"policies are fcfs and any of {', '.join(known[1:])}, but got {config.policies!r}.")
    if config.ranker is None and any(name.partition("@")[0] == "pars" for name in names):
        raise ValueError("pars orders by a ranker, but none is given; give ranker=URI, or take noise instead of pars.")
    return tuple(_policy(name, config.patience_s) for name in sorted(names, key=lambda name: name != "fcfs"))


def parse_rankers(texts: tuple[str, ...]) -> Mapping[str, str]:
    """NAME=URI of each.

    Raises:
        ValueError: one without a name, or with a name that is taken.
    """
    pairs = [text.partition("=") for text in texts]
    if wrong := [text for text, (name, sign, uri) in zip(texts, pairs, strict=True) if not (name and sign and uri)]:
        raise ValueError(f"rankers are given as NAME=URI, but got {wrong[0]!r}.")
    if taken := [name for name, _, _ in pairs if name in BUILT_IN or "@" in name]:
        raise ValueError(f"a ranker needs a name that is no policy's and has no @, but got {taken[0]!r}.")
    return {name: uri for name, _, uri in pairs}


def quantiles_of(kinds: set[str], config: SimulationConfig, workload: Workload) -> dict[str, Seconds | None]:
    """The place of each request of the workload under each kind of order; None is first come, first served.

    Raises:
        ValueError: a ranker, but no prompts.
        RegistryError, InvalidRanker: a ranker cannot be used.
    """
    found: dict[str, Seconds | None] = {"fcfs": None}
    if "prompt_length" in kinds:
        found["prompt_length"] = places(workload.prompt_tokens)
    if "oracle" in kinds:
        found["oracle"] = places(workload.output_tokens)
    if "noise" in kinds:
        found["noise"] = noisy_quantiles(workload.output_tokens, config.tau, config.seed)
    if "control" in kinds:
        found["control"] = _control(config, workload)
    uris = {**parse_rankers(config.rankers), "pars": config.ranker or ""}
    for name in sorted(kinds & set(uris)):
        found[name] = _ranked(load_ranker(uris[name]), workload, name)
    return found


def order_of(policy: Policy, quantiles: Seconds | None, sent: np.ndarray, is_reversed: bool) -> Order:
    """A policy's order of the requests as they are sent; the control is mirrored where they are sent reversed.

    Finding a place by a ranker, or by noise that stands for one, takes the time of a ranking.
    """
    if quantiles is None:
        return Order(patience_s=policy.patience_s)
    taken = quantiles[sent]
    if policy.kind == "control" and is_reversed:
        taken = 1 - taken
    is_ranked = policy.kind not in ("prompt_length", "control", "oracle")
    return Order(quantiles=taken, patience_s=policy.patience_s, is_ranked=is_ranked)


def _policy(name: str, patience_s: float) -> Policy:
    kind, sign, seconds = name.partition("@")
    try:
        return Policy(name, kind, float(seconds) if sign else patience_s)
    except ValueError:
        raise ValueError(f"a policy's own patience is NAME@SECONDS, but got {name!r}.") from None


def _control(config: SimulationConfig, workload: Workload) -> Seconds:
    if config.control:
        return _ranked(load_ranker(config.control), workload, "control")
    return shuffled_places(workload.output_tokens, config.seed)


def _ranked(ranker: Ranker, workload: Workload, name: str) -> Seconds:
    if workload.prompts is None:
        raise ValueError(f"{name} orders by a ranker, which reads prompts, but the traffic has none; take noise.")
    return ranker.quantiles_of(workload.prompts, f"ranking ({name})")
