"""`training/network/batches.py`."""

import numpy as np
import pytest
import torch

from traffic.labelled_prompts import LabelledPrompts
from training.network.batches import Batch, Batches, Encoded, labels_of

TOKENS = (9, 2, 5, 7, 3, 4, 8)
ENCODED = Encoded([[1] * tokens for tokens in TOKENS], torch.tensor(TOKENS).float().unsqueeze(1))
LABELS = labels_of(LabelledPrompts.of(tuple("abcdefg"), 10.0 * np.array(TOKENS), np.array(TOKENS) > 7))
PAIRS = torch.tensor([[0, 1], [2, 0], [0, 3], [5, 6]])


def tokens_of(batch: Batch) -> list[int]:
    return [int(row.sum()) for chunk in batch.chunks for row in chunk.attention_mask]


@pytest.mark.parametrize("seed", [None, 0])
def test_every_prompt_comes_once_a_pass_with_its_own_label(seed: int | None) -> None:
    batches = list(Batches(ENCODED, LABELS, batch_size=4, chunk_tokens=8, seed=seed))
    assert [len(batch.labels.output_tokens) for batch in batches] == [4, 3]
    for batch in batches:
        assert [10.0 * one for one in tokens_of(batch)] == batch.labels.output_tokens.tolist()
        assert torch.cat([chunk.features for chunk in batch.chunks]).flatten().tolist() == tokens_of(batch)
        assert [one > 7 for one in tokens_of(batch)] == batch.labels.is_censored.tolist()
        assert set(batch.labels.groups.tolist()) == {0}
    assert sorted(tokens for batch in batches for tokens in tokens_of(batch)) == sorted(TOKENS)


def test_the_number_of_batches_is_known() -> None:
    assert len(Batches(ENCODED, LABELS, 4, 2, None)) == 2
    assert len(Batches(ENCODED, LABELS, 7, 2, None)) == 1
    assert len(Batches(ENCODED, LABELS, 3, 2, None, PAIRS)) == 2


@pytest.mark.parametrize("seed", [None, 0])
def test_sampled_pairs_stay_together_and_a_prompt_comes_once_for_each(seed: int | None) -> None:
    seen = []
    for batch in Batches(ENCODED, LABELS, batch_size=3, chunk_tokens=8, seed=seed, pairs=PAIRS):
        assert [10.0 * one for one in tokens_of(batch)] == batch.labels.output_tokens.tolist()
        groups = [batch.labels.groups == group for group in batch.labels.groups.unique()]
        seen += [sorted(batch.labels.output_tokens[group].tolist()) for group in groups]
    assert sorted(seen) == sorted(sorted(10.0 * TOKENS[one] for one in pair) for pair in PAIRS.tolist())


@pytest.mark.parametrize(("pairs", "total"), [(None, sum(TOKENS)), (PAIRS, 3 * 9 + 2 + 5 + 7 + 4 + 8)])
def test_encoder_tokens_are_those_of_every_pass_without_padding(pairs: torch.Tensor | None, total: int) -> None:
    batches = list(Batches(ENCODED, LABELS, 3, 2, 0, pairs))
    assert sum(batch.encoder_tokens for batch in batches) == total
    assert all(batch.encoder_tokens == sum(tokens_of(batch)) for batch in batches)


def test_prompts_of_a_chunk_are_of_similar_length() -> None:
    (batch,) = Batches(ENCODED, LABELS, 7, 16, None)
    assert [tuple(chunk.input_ids.shape) for chunk in batch.chunks] == [(1, 2), (3, 5), (2, 8), (1, 9)]


@pytest.mark.parametrize("pairs", [None, PAIRS])
def test_the_seed_decides_the_order_and_each_pass_has_its_own(pairs: torch.Tensor | None) -> None:
    def passes(seed: int) -> list[list[float]]:
        batches = Batches(ENCODED, LABELS, 2, 3, seed, pairs)
        return [[length for batch in batches for length in batch.labels.output_tokens.tolist()] for _ in range(3)]

    first, second, third = passes(0)
    assert first != second or second != third
    assert [first, second, third] == passes(0)
    assert passes(0) != passes(1)


def test_padding_is_masked() -> None:
    chunk = Encoded([[5, 6, 7], [9, 9], [8]], torch.tensor([[1.0], [2.0], [3.0]])).chunk(torch.tensor([0, 2]))
    assert chunk.input_ids.tolist() == [[5, 6, 7], [8, 0, 0]]
    assert chunk.attention_mask.tolist() == [[1, 1, 1], [1, 0, 0]]
    assert chunk.features.tolist() == [[1.0], [3.0]]


@pytest.mark.parametrize("given", range(7))
def test_batches_go_on_after_those_that_were_given(given: int) -> None:
    def flat(batches: Batches, passes: int) -> list[list[float]]:
        return [batch.labels.output_tokens.tolist() for _ in range(passes) for batch in batches]

    whole = flat(Batches(ENCODED, LABELS, 3, 3, seed=0), passes=3)
    first, second = (Batches(ENCODED, LABELS, 3, 3, seed=0) for _ in range(2))
    started = [next(batch for batch in first).labels.output_tokens.tolist() for _ in range(given)]
    second.load_state_dict(first.state_dict())
    assert started + flat(second, passes=3 - given // 3) == whole


@pytest.mark.parametrize("pairs", [None, PAIRS])
@pytest.mark.parametrize("processes", [2, 3])
def test_processes_share_a_batch_and_know_the_labels_of_all(
    monkeypatch: pytest.MonkeyPatch, processes: int, pairs: torch.Tensor | None
) -> None:
    def batches() -> list[Batch]:
        return list(Batches(ENCODED, LABELS, 3, 16, 0, pairs))

    alone, shared = batches(), []
    for rank in range(processes):
        monkeypatch.setattr("training.network.batches._place", lambda rank=rank: (rank, processes))
        shared.append(batches())
    for one, *shares in zip(alone, *shared, strict=True):
        (labels,) = {tuple(map(tuple, (field.tolist() for field in share.labels))) for share in shares}
        assert sorted(zip(*labels, strict=True)) == sorted(zip(*(field.tolist() for field in one.labels), strict=True))
        encoded = [tokens_of(share)[: share.shares[rank]] for rank, share in enumerate(shares)]
        assert [10.0 * tokens for share in encoded for tokens in share] == list(labels[0])
        assert all(tokens_of(share) for share in shares)  # who has no share encodes one that does not count
