"""Which look a policy has: the same one in every chart. Pure."""

from collections.abc import Sequence

from charts.looks import NUM_SLOTS

SLOTS = {"fcfs": 0, "pars": 1, "oracle": 2, "control": 3, "endpoint": 4}
"""Of the policies that most reports have."""


def slots(policies: Sequence[str]) -> dict[str, int]:
    """A slot for each policy: its own, or else the next that none of them has; at last those of absent policies."""
    taken = {SLOTS[policy] for policy in policies if policy in SLOTS}
    free = iter(sorted(set(range(NUM_SLOTS)) - taken, key=lambda slot: (slot in SLOTS.values(), slot)))
    return {policy: SLOTS[policy] if policy in SLOTS else next(free, NUM_SLOTS - 1) for policy in policies}
