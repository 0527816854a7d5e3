"""`training/network/chunk_sizes.py`."""

from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.network.chunk_sizes import chunk_sizes, is_kept


@given(st.lists(st.integers(1, 600), max_size=80).map(sorted), st.integers(1, 700))
def test_chunks_hold_all_prompts_within_the_budget_or_one(tokens: list[int], chunk_tokens: int) -> None:
    sizes = chunk_sizes(tokens, chunk_tokens)
    ends = list(accumulate(sizes, initial=0))
    assert ends[-1] == len(tokens)
    for start, end in pairwise(ends):
        assert end - start == 1 or (end - start) * tokens[end - 1] <= chunk_tokens


@pytest.mark.parametrize(
    ("padded_tokens", "most", "kept"),
    [
        ([10, 20, 30], 60, [True, True, True]),
        ([10, 20, 30], 59, [False, True, True]),
        ([10, 20, 30], 49, [False, False, True]),
        ([10, 20, 30], 29, [False, False, False]),
        ([10, 100, 30], 49, [False, False, True]),
        ([], 1, []),
    ],
)
def test_the_last_chunks_are_kept_as_far_as_the_budget_goes(
    padded_tokens: list[int], most: int, kept: list[bool]
) -> None:
    assert is_kept(padded_tokens, most) == kept
