"""`training/batches.py`."""

import numpy as np
import pytest

from training.batches import Batches, pad
from training.length_log import LabelledPrompts

ENCODED = [[1] * tokens for tokens in (9, 2, 5, 7, 3, 4, 8)]
LABELLED = LabelledPrompts(tuple("abcdefg"), np.array([90.0, 20.0, 50.0, 70.0, 30.0, 40.0, 80.0]))


@pytest.mark.parametrize("seed", [None, 0])
def test_every_prompt_comes_once_a_pass_with_its_own_length(seed: int | None) -> None:
    batches = list(Batches(ENCODED, LABELLED, batch_prompts=4, chunk_prompts=2, seed=seed))
    assert [len(batch.output_tokens) for batch in batches] == [4, 3]
    seen = []
    for batch in batches:
        tokens = [int(row.sum()) for chunk in batch.chunks for row in chunk.attention_mask]
        assert [10.0 * one for one in tokens] == batch.output_tokens.tolist()
        seen += tokens
    assert sorted(seen) == [2, 3, 4, 5, 7, 8, 9]


def test_the_number_of_batches_is_known() -> None:
    assert len(Batches(ENCODED, LABELLED, 4, 2, None)) == 2
    assert len(Batches(ENCODED, LABELLED, 7, 2, None)) == 1


def test_prompts_of_a_chunk_are_of_similar_length() -> None:
    (batch,) = Batches(ENCODED, LABELLED, 7, 2, None)
    assert [tuple(chunk.input_ids.shape) for chunk in batch.chunks] == [(2, 3), (2, 5), (2, 8), (1, 9)]


def test_the_seed_decides_the_order_and_each_pass_has_its_own() -> None:
    def passes(seed: int) -> list[list[float]]:
        batches = Batches(ENCODED, LABELLED, 3, 3, seed)
        return [[length for batch in batches for length in batch.output_tokens.tolist()] for _ in range(2)]

    first, second = passes(0)
    assert first != second
    assert [first, second] == passes(0)
    assert passes(0) != passes(1)


def test_padding_is_masked() -> None:
    chunk = pad([[5, 6, 7], [8]])
    assert chunk.input_ids.tolist() == [[5, 6, 7], [8, 0, 0]]
    assert chunk.attention_mask.tolist() == [[1, 1, 1], [1, 0, 0]]
