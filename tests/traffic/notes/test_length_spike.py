"""`traffic/notes/length_spike.py`."""

from collections import Counter

import numpy as np
import pytest

from traffic.notes.length_spike import length_spike

DRAWN = np.random.default_rng(0).lognormal(5, 1, 2000).astype(int) + 1


@pytest.mark.parametrize("limit", [128, 256, 500])
def test_a_limit_leaves_a_spike(limit: int) -> None:
    found = length_spike(Counter(np.minimum(DRAWN, limit).tolist()))
    assert found == (limit, int((limit <= DRAWN).sum()))


def test_two_limits_are_told_by_the_larger_spike() -> None:
    limits = np.where(np.arange(2000) % 3, 128, 256)
    found = length_spike(Counter(np.minimum(DRAWN, limits).tolist()))
    assert found is not None
    assert found[0] == 128


@pytest.mark.parametrize(
    "lengths",
    [
        [],
        [7],
        [1 + n % 97 for n in range(400)],
        [1] * 500 + list(range(1, 200)),
        DRAWN.tolist(),
        [300] * 9 + [*range(99)],
    ],
)
def test_lengths_by_themselves_have_none(lengths: list[int]) -> None:
    assert length_spike(Counter(lengths)) is None
