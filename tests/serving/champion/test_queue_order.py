"""What the queue is ordered by: work where a price and pairs are known, else length."""

import logging
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.artefact.card import RankerCard
from registry.artefact.joint import JointSample
from registry.artefact.length_distribution import LengthDistribution
from registry.ranker import Ranker
from serving.champion.queue_order import CurrentOrder, QueueOrder
from serving.champion.ranker_sources import Champion
from serving.champion.served_rankers import EngineRankers
from serving.request_stages import ANY_SIZE, Size
from serving.work.price import TokenPrice
from serving.work.step_cost import StepCost
from tests.rankers import write_ranker

PRICE = TokenPrice(prompt_token_s=2e-5, output_token_s=1e-4, context_token_s=1e-9)
FREE_PROMPTS = TokenPrice(prompt_token_s=0.0, output_token_s=1e-4)
ANSWERS = np.geomspace(1, 1000, 400)
PROMPTS = np.round(np.exp(np.random.default_rng(0).normal(5, 1, 400))) + 1
TOKENS, COUNTS = st.floats(0.01, 1e6), st.integers(0, 200_000)


def card_of(**changes: object) -> RankerCard:
    once = np.ones(400)
    card = RankerCard.model_construct(
        target_llm="demo-llm",
        distribution=LengthDistribution.of(ANSWERS),
        joint=JointSample.of(PROMPTS, ANSWERS, once, 4 * PROMPTS),
    )
    return card.model_copy(update=changes)


CARD, OLD_CARD = card_of(), card_of(joint=None)
ORDER = QueueOrder((CARD,), PRICE)
ORDERS = [
    ORDER,
    QueueOrder((CARD, card_of(distribution=LengthDistribution.of(ANSWERS, band_log_tokens=0.5))), PRICE),
    QueueOrder((CARD,), FREE_PROMPTS),
    QueueOrder((CARD,)),
    QueueOrder((CARD, OLD_CARD), PRICE),
]


@pytest.mark.parametrize(
    ("order", "by"),
    [*zip(ORDERS, ["work", "work", "work", "length", "length"], strict=True)],
)
def test_order_goes_by_work_where_price_and_pairs_are_known(order: QueueOrder, by: str) -> None:
    assert order.by == by
    assert (order.work_s(9.0, Size(prompt_tokens=50)) is None) == (by == "length")


@given(tokens=TOKENS, more=TOKENS, prompt=COUNTS, longer=COUNTS, cap=st.none() | st.integers(1, 10_000))
@pytest.mark.parametrize("order", ORDERS)
def test_place_rises_with_the_prompt_and_the_answer_and_never_above_its_caps(
    order: QueueOrder, tokens: float, more: float, prompt: int, longer: int, cap: int | None
) -> None:
    size = Size(cap, prompt)
    place = order.quantile(tokens, size)
    assert 0 <= place <= 1
    assert place <= order.quantile(tokens + more, size)
    assert place <= order.quantile(tokens, Size(cap, prompt + longer))
    if cap is not None:
        assert place <= order.quantile(cap, Size(None, prompt))
        assert place == order.quantile(min(tokens, cap), Size(None, prompt))


@given(TOKENS, TOKENS, COUNTS, COUNTS)
def test_prompts_that_cost_nothing_leave_the_order_of_lengths(one: float, other: float, prompt: int, its: int) -> None:
    by_work, by_length = QueueOrder((CARD,), FREE_PROMPTS), QueueOrder((CARD,))
    first, second = by_work.quantile(one, Size(None, prompt)), by_work.quantile(other, Size(None, its))
    assert (first < second) <= (by_length.quantile(one, ANY_SIZE) <= by_length.quantile(other, ANY_SIZE))
    assert first == pytest.approx(by_length.quantile(one, ANY_SIZE), abs=0.02)


def test_long_prompt_with_a_short_answer_is_behind_a_short_prompt_with_a_longer_one() -> None:
    assert ORDER.quantile(10, Size(prompt_tokens=20_000)) > ORDER.quantile(500, Size(prompt_tokens=100))
    assert ORDER.work_s(10, Size(prompt_tokens=1000)) == pytest.approx(1000 * 2e-5 + 10 * 1e-4 + 1e-9 * 10 * 1005)
    assert ORDER.work_s(10, Size(4, 1000)) == ORDER.work_s(4, Size(None, 1000))


def test_mean_place_of_what_was_validated_is_the_middle() -> None:
    places = [
        ORDER.quantile(answer, Size(prompt_tokens=int(prompt))) for prompt, answer in zip(PROMPTS, ANSWERS, strict=True)
    ]
    assert np.mean(places) == pytest.approx(0.5, abs=0.005)


def test_tokens_that_nobody_counts_are_estimated_from_the_text_else_those_of_the_middle_prompt() -> None:
    assert ORDER.quantile(50, Size(characters=4000)) == pytest.approx(ORDER.quantile(50, Size(prompt_tokens=1000)))
    assert ORDER.quantile(50, Size(None, 7, 4000)) == ORDER.quantile(50, Size(None, 7))
    middle = int(np.median(PROMPTS))
    assert ORDER.quantile(50, ANY_SIZE) == pytest.approx(ORDER.quantile(50, Size(None, middle)), abs=0.01)


def test_what_cannot_be_read_has_the_median_answer_and_its_own_prompt() -> None:
    size = Size(prompt_tokens=3000)
    assert ORDER.median_quantile(size) == ORDER.quantile(CARD.distribution.median_tokens, size)
    assert ORDER.large_quantile(Size(prompt_tokens=500_000)) == ORDER.median_quantile(Size(prompt_tokens=500_000))


@given(COUNTS, COUNTS, TOKENS, st.none() | st.integers(1, 10_000))
def test_nobody_gains_a_place_by_growing_beyond_what_is_read(
    prompt: int, more: int, tokens: float, cap: int | None
) -> None:
    large = ORDER.large_quantile(Size(cap, prompt + more))
    assert large >= min(0.75, ORDER.quantile(tokens, Size(cap, prompt)))
    assert large >= ORDER.median_quantile(Size(cap, prompt))


def test_order_is_said_once_and_again_when_it_changes(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    current = CurrentOrder()
    assert current.of(()) is None
    for _ in range(3):
        assert current.of((CARD,)) == QueueOrder((CARD,))
        current.of((CARD, CARD))
    assert ["PARS_COST is not set" in one.message for one in caplog.records] == [True]
    caplog.clear()
    current.go_by_work(PRICE)
    assert current.of((CARD,)) == ORDER
    assert "ordered by work: 0.02 ms a token of the prompt, 0.1 ms a token of the answer" in caplog.text
    caplog.clear()
    assert current.of((OLD_CARD,)) == QueueOrder((OLD_CARD,), PRICE)
    assert "the ranker of demo-llm does not know which prompts" in caplog.text
    assert [one.levelname for one in caplog.records] == ["WARNING"]


def test_engine_orders_by_its_own_settings_once_it_runs(tmp_path: Path) -> None:
    ranker = Ranker.load(write_ranker(tmp_path, joint=CARD.joint, distribution=CARD.distribution))
    rankers = EngineRankers({"demo-llm": SimpleNamespace(champion=Champion(1, ranker))}, {}, "demo-llm")
    config = SimpleNamespace(scheduler_config=SimpleNamespace(max_num_seqs=64, max_num_batched_tokens=2048))
    rankers.order_by_cost(None, config)
    assert rankers.order_state == {"order_by": "length", "price": None}
    before = rankers.ranker("demo-llm").predict("one two", Size(prompt_tokens=20_000))
    assert before == ranker.predict("one two")
    rankers.order_by_cost(StepCost(fixed_s=0.02048, per_token_s=1e-5, per_sequence_s=0), config)
    price = {"prompt_token_s": pytest.approx(2e-5), "output_token_s": pytest.approx(3.3e-4), "context_token_s": 0}
    assert rankers.order_state == {"order_by": "work", "price": price}
    after = rankers.ranker("demo-llm").predict("one two", Size(prompt_tokens=20_000))
    assert (after.score, after.predicted_tokens) == (before.score, before.predicted_tokens)
    assert after.quantile > before.quantile
    assert after.work_s == pytest.approx(20_000 * 2e-5 + after.predicted_tokens * 3.3e-4)
