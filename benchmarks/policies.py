"""The policies that a replay or a simulation compares: their names, and the patience of each. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """One order by its name in the table, with its patience."""

    name: str
    kind: str
    """What orders: `fcfs`, `oracle`, the name of a ranker."""
    patience_s: float


def read_policies(text: str, known: Sequence[str], patience_s: float) -> tuple[Policy, ...]:
    """Read a comma-separated list of known kinds, in its order but `fcfs` first; KIND@SECONDS has its own patience.

    Raises:
        ValueError: an unknown kind, or no `fcfs`, which every other one is compared with.
    """
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if any(name.partition("@")[0] not in known for name in names) or "fcfs" not in names:
        raise ValueError(
            f"policies are fcfs and any of {', '.join(one for one in known if one != 'fcfs')}, but got {text!r}."
        )
    return tuple(_policy(name, patience_s) for name in sorted(names, key=lambda name: name != "fcfs"))


def parse_rankers(texts: Iterable[str], taken: Sequence[str]) -> Mapping[str, str]:
    """NAME=URI of each ranker that is a policy of its own.

    Raises:
        ValueError: one without a name, or with a name that is taken.
    """
    pairs = {text: text.partition("=") for text in texts}
    if wrong := [text for text, (name, sign, uri) in pairs.items() if not (name and sign and uri)]:
        raise ValueError(f"rankers are given as NAME=URI, but got {wrong[0]!r}.")
    if refused := [name for name, _, _ in pairs.values() if name in taken or "@" in name]:
        raise ValueError(f"a ranker needs a name that is no policy's and has no @, but got {refused[0]!r}.")
    return {name: uri for name, _, uri in pairs.values()}


def _policy(name: str, patience_s: float) -> Policy:
    kind, sign, seconds = name.partition("@")
    try:
        return Policy(name, kind, float(seconds) if sign else patience_s)
    except ValueError:
        raise ValueError(f"a policy's own patience is NAME@SECONDS, but got {name!r}.") from None
