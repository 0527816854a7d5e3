"""What a request costs an engine that is full."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.work.price import TokenPrice
from serving.work.step_cost import StepCost

COST = StepCost(fixed_s=0.008, per_token_s=2e-5, per_sequence_s=1e-5)
TOKENS = st.integers(1, 100_000)


def test_what_any_step_costs_is_shared_by_those_that_fill_it() -> None:
    price = TokenPrice.of(COST, max_num_seqs=64, max_num_batched_tokens=8000)
    assert price.prompt_token_s == pytest.approx(2e-5 + 1e-6)
    assert price.output_token_s == pytest.approx(2e-5 + 1e-5 + 0.000125)
    assert price.work_s(1000, 100) == pytest.approx(0.021 + 0.0155)


@pytest.mark.parametrize("fixed_s", [0.0, 0.03])
def test_full_step_of_decoding_sequences_costs_what_its_tokens_do(fixed_s: float) -> None:
    cost = StepCost(fixed_s=fixed_s, per_token_s=1e-4, per_sequence_s=1e-3)
    price = TokenPrice.of(cost, max_num_seqs=16, max_num_batched_tokens=512)
    assert 16 * price.output_token_s == pytest.approx(cost.step_s(16, [1] * 16))


def test_each_token_of_the_answer_reads_all_that_is_in_context() -> None:
    cost = StepCost(fixed_s=0, per_token_s=0, per_sequence_s=1e-9, per_context_token_s=1e-7, per_longest_token_s=1e-6)
    price = TokenPrice.of(cost, max_num_seqs=10, max_num_batched_tokens=512)
    read = sum(300 + token for token in range(50))
    assert price.work_s(300, 50) == pytest.approx(2e-7 * read, rel=0.01)


@given(prompt_tokens=TOKENS, output_tokens=TOKENS, more=TOKENS, seconds=st.floats(1e-6, 1.0))
def test_work_rises_with_the_prompt_and_with_the_answer(
    prompt_tokens: int, output_tokens: int, more: int, seconds: float
) -> None:
    price = TokenPrice.of(
        StepCost(fixed_s=seconds, per_token_s=0, per_sequence_s=0), max_num_seqs=256, max_num_batched_tokens=8192
    )
    work_s = price.work_s(prompt_tokens, output_tokens)
    assert price.work_s(prompt_tokens + more, output_tokens) > work_s
    assert price.work_s(prompt_tokens, output_tokens + more) > work_s
