"""Places by the work of prompts."""

import numpy as np
import pytest

from benchmarks.policies.work import prompt_work_places


def test_longer_prompt_is_more_work_and_equal_ones_share_their_place() -> None:
    prompts, lengths = np.array([10, 500, 10, 90]), np.array([1, 2, 300, 40])
    found = prompt_work_places(prompts, lengths, 0.001, 0.01)
    assert found[0] == found[2] < found[3] < found[1]
    assert ((found > 0) & (found < 1)).all()


def test_where_prompts_cost_nothing_all_stand_in_the_middle() -> None:
    found = prompt_work_places(np.array([10, 500, 90]), np.array([1, 2, 300]), 0.0, 0.01)
    assert found.tolist() == [0.5] * 3


@pytest.mark.parametrize("seed", range(3))
def test_whose_answer_is_long_moves_no_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    prompts, lengths = rng.integers(1, 2000, 50), rng.integers(1, 400, 50)
    found = prompt_work_places(prompts, lengths, 1e-3, 1e-2)
    assert (np.diff(found[np.argsort(prompts)]) >= 0).all()
    assert found == pytest.approx(prompt_work_places(prompts, rng.permutation(lengths), 1e-3, 1e-2), abs=0.2)
