"""The policies that a replay or a simulation compares: their names, and the patience of each. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.policies.titles import TITLES
from registry.errors import InvalidInput

NAME = re.compile(r"[\w.-]+", re.ASCII)
"""Of a ranker: what may stand in the name of an MLflow metric."""
SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)
WITHOUT_PATIENCE = ("fcfs", "control", "dealt_work")
"""The first has none to have; the others are what a run checks itself by, so there is one of each."""


CONTROL, DEALT_WORK = "control", "dealt_work"
"""What knows nothing of answers, and what a control of an order by work is held against: the work of true prompts and
of answers that are dealt out at random."""
MIRROR_OF = {CONTROL: "control_mirror", DEALT_WORK: "dealt_work_mirror"}
"""The kind of order under which every second run of these goes."""


@dataclass(frozen=True)
class Policy:
    """One order by its name in the table, with its patience."""

    name: str
    kind: str
    """What orders: `fcfs`, `oracle`, the name of a ranker."""
    patience_s: float


def kind_of(name: str) -> str:
    """What orders under a policy's name: `oracle` under `oracle@10`."""
    return name.partition("@")[0]


def parse_policy_list(
    text: str, built_in: Sequence[str], rankers: Iterable[str], patience_s: float
) -> tuple[Policy, ...]:
    """Read a comma-separated list, in its order but `fcfs` first; NAME@SECONDS has a patience of its own.

    Raises:
        InvalidInput: an unknown name, a wrong patience, a ranker that the list leaves out, or no `fcfs`, which all
            others are compared with.
    """
    known = [*built_in, *rankers]
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if unknown := [name for name in names if kind_of(name) not in known]:
        raise InvalidInput(
            f"policies are {', '.join(known)}, but got {unknown[0]!r} in {text!r}; a ranker becomes one by"
            " rankers=NAME=URI."
        )
    if "fcfs" not in names:
        raise InvalidInput(f"every policy is compared with fcfs, but got {text!r}; add fcfs.")
    if unused := set(known) - set(built_in) - set(map(kind_of, names)):
        raise InvalidInput(f"rankers must be among the policies, but {min(unused)!r} is not; add it to policies.")
    return tuple(_policy(name, patience_s) for name in sorted(names, key=lambda name: name != "fcfs"))


def with_baseline(policies: tuple[Policy, ...], patience_s: float, is_by_work: bool) -> tuple[Policy, ...]:
    """The same, with what the control among them is held against where it goes by work."""
    kinds = {one.kind for one in policies}
    if not is_by_work or CONTROL not in kinds or DEALT_WORK in kinds:
        return policies
    return (*policies, Policy(DEALT_WORK, DEALT_WORK, patience_s))


def parse_rankers(texts: Iterable[str]) -> Mapping[str, str]:
    """NAME=URI of each ranker that is a policy of its own.

    Raises:
        InvalidInput: one without a name, or with a name that is taken or cannot be one.
    """
    uris: dict[str, str] = {}
    for text in texts:
        name, _, uri = text.partition("=")
        if not uri:
            raise InvalidInput(f"rankers are given as NAME=URI, as in other=models:/pars-other/1, but got {text!r}.")
        if not NAME.fullmatch(name):
            raise InvalidInput(
                f"a ranker's name has letters, digits, '.', '_' and '-', but got {name!r}; choose another."
            )
        if name in TITLES or name in uris:
            raise InvalidInput(f"a ranker needs a name that no other policy has, but got {name!r}; choose another.")
        uris[name] = uri
    return uris


def _policy(name: str, patience_s: float) -> Policy:
    kind, sign, seconds = name.partition("@")
    if not sign:
        return Policy(name, kind, patience_s)
    if kind in WITHOUT_PATIENCE:
        raise InvalidInput(f"{kind} has no patience of its own, but got {name!r}; give {kind}.")
    if not SECONDS.fullmatch(seconds):
        raise InvalidInput(f"a policy's own patience is NAME@SECONDS, as in oracle@7.5, but got {name!r}.")
    return Policy(name, kind, float(seconds))
