"""Places by the work of prompts and answers."""

import numpy as np
import pytest

from benchmarks.policies.work import prompt_work_places, work_places
from serving.work.price import TokenPrice


def test_longer_prompt_is_more_work_and_equal_ones_share_their_place() -> None:
    prompts, lengths = np.array([10, 500, 10, 90]), np.array([1, 2, 300, 40])
    found = prompt_work_places(TokenPrice(0.001, 0.01), prompts, lengths)
    assert found[0] == found[2] < found[3] < found[1]
    assert ((found > 0) & (found < 1)).all()


def test_where_prompts_cost_nothing_all_stand_in_the_middle() -> None:
    found = prompt_work_places(TokenPrice(0.0, 0.01), np.array([10, 500, 90]), np.array([1, 2, 300]))
    assert found.tolist() == [0.5] * 3


@pytest.mark.parametrize("seed", range(3))
def test_whose_answer_is_long_moves_no_order(seed: int) -> None:
    rng, price = np.random.default_rng(seed), TokenPrice(1e-3, 1e-2)
    prompts, lengths = rng.integers(1, 2000, 50), rng.integers(1, 400, 50)
    found = prompt_work_places(price, prompts, lengths)
    assert (np.diff(found[np.argsort(prompts)]) >= 0).all()
    assert found == pytest.approx(prompt_work_places(price, prompts, rng.permutation(lengths)), abs=0.2)


def test_true_work_is_the_prompt_and_the_answer_at_their_prices() -> None:
    found = work_places(TokenPrice(0.001, 0.01), np.array([1000, 1, 1, 1000]), np.array([1, 90, 110, 300]))
    assert np.argsort(found).tolist() == [1, 0, 2, 3]
