"""Which look a policy has: the same one in every chart. Pure."""

from collections.abc import Sequence
from itertools import count

SLOTS = {"fcfs": 0, "pars": 1, "oracle": 2, "control": 3, "endpoint": 4}
"""Of the policies that most reports have."""


def slots(policies: Sequence[str]) -> dict[str, int]:
    """A slot for each policy: its own, or else the next that no policy has of its own."""
    free = count(len(SLOTS))
    return {policy: SLOTS[policy] if policy in SLOTS else next(free) for policy in dict.fromkeys(policies)}
