"""`training/judging/statistics/jackknife.py`."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.order.certain_pairs import Values
from training.judging.ranking_metrics import kendall_tau_b, kendall_tau_b_interval
from training.judging.statistics.jackknife import MOST_BLOCKS, blocks_of, interval, left_out_tau_b, tau_interval
from training.judging.statistics.ranker_comparison import compare_rankers

PROMPTS = st.lists(
    st.tuples(st.integers(-3, 3), st.integers(1, 6), st.booleans(), st.integers(0, 4)), min_size=8, max_size=30
)


@given(PROMPTS)
def test_tau_without_a_group_is_the_tau_of_the_other_prompts(prompts: list[tuple[int, int, bool, int]]) -> None:
    predicted, true, cut, group = (np.array(one) for one in zip(*prompts, strict=True))
    predicted, true, blocks = 1.0 * predicted, 1.0 * true, blocks_of(group.tolist())
    found = left_out_tau_b(predicted, true, cut, blocks)
    for block, tau in enumerate(found):
        rest = blocks != block
        if rest.sum() > 1:
            assert tau == pytest.approx(kendall_tau_b(predicted[rest], true[rest], cut[rest]))


def test_prompts_of_a_group_share_a_block_and_many_groups_share_one() -> None:
    groups = [f"task {number % 2500}" for number in range(5000)]
    blocks = blocks_of(groups, seed=1)
    assert sorted(set(blocks.tolist())) == list(range(MOST_BLOCKS))
    assert (blocks[:2500] == blocks[2500:]).all()
    assert blocks_of(["a", "b", "a"]).tolist() == [0, 1, 0]


def test_one_group_says_nothing_and_no_doubt_leaves_no_room() -> None:
    assert tau_interval(0.3, np.array([0.0])) == (-1, 1)
    assert interval(0.3, np.array([0.0]), 2.0) == (-2, 2)
    assert tau_interval(1.0, np.ones(9)) == (1, 1)
    low, high = tau_interval(0.95, np.array([1.0, 0.8, 0.97, 0.93]))
    assert -1 < low < 0.95 < high < 1


def test_an_interval_over_groups_covers_the_truth_as_often_as_it_says_and_one_over_prompts_does_not() -> None:
    truth = kendall_tau_b(*tasks(np.random.default_rng(0), 4000)[:2])
    covered, covered_by_prompts, called_real = [], [], []
    for number in range(200):
        true, first, second, groups = tasks(np.random.default_rng([1, number]), 12)
        low, high = kendall_tau_b_interval(first, true, groups=groups)
        covered.append(low < truth < high)
        if number < 50:
            low, high = kendall_tau_b_interval(first, true)
            covered_by_prompts.append(low < truth < high)
            called_real.append(compare_rankers({"a": first, "b": second}, true, groups=groups)[0].is_real)
    assert 0.90 <= np.mean(covered) <= 0.99
    assert np.mean(covered_by_prompts) < 0.85
    assert np.mean(called_real) <= 0.12


def test_five_thousand_prompts_are_affordable() -> None:
    rng = np.random.default_rng(0)
    true = rng.normal(size=5000)
    started = time.process_time()
    kendall_tau_b_interval(true + rng.normal(size=5000), true)
    assert time.process_time() - started < 5


def tasks(rng: np.random.Generator, num_tasks: int, prompts: int = 12) -> tuple[Values, Values, Values, list[int]]:
    """Lengths, the scores of two equally good rankers, and the tasks; a ranker is wrong about whole tasks."""
    task = np.repeat(np.arange(num_tasks), prompts)
    own, first, second = rng.normal(size=(3, num_tasks))[:, task]
    noise, *errors = rng.normal(size=(3, len(task)))
    scores = [own + wrong + 0.5 * noise + error for wrong, error in zip((first, second), errors, strict=True)]
    return own + noise, *scores, task.tolist()
