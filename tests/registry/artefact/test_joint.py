"""Pairs that stand for the traffic, and the distribution of work that they give."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from registry.artefact.joint import MOST_PAIRS, JointSample
from registry.artefact.length_distribution import LengthDistribution

PRICES = [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.02, 1.0), (1.0, 0.02)]


def sample(size: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    log_prompt, log_answer = rng.multivariate_normal([5, 4], [[1.5, 0.7], [0.7, 1]], size).T
    return np.round(np.exp(log_prompt)) + 1, np.exp(log_answer), rng.integers(1, 4, size).astype(float)


def joint_of(prompts: np.ndarray, answers: np.ndarray, occurrences: np.ndarray) -> JointSample:
    return JointSample.of(prompts, answers, occurrences, characters=4 * prompts)


def test_few_pairs_are_kept_as_they_are() -> None:
    prompts, answers, occurrences = sample(100)
    joint = joint_of(prompts, answers, occurrences)
    assert joint.prompt_tokens == pytest.approx(prompts)
    assert joint.predicted_tokens == pytest.approx(answers)
    assert joint.shares == pytest.approx(occurrences / occurrences.sum())
    assert joint.tokens_per_character == pytest.approx(0.25)


@pytest.mark.parametrize(("prompt_price", "answer_price"), PRICES)
@pytest.mark.parametrize("size", [600, 20_000])
def test_joined_pairs_give_nearly_the_places_of_all(size: int, prompt_price: float, answer_price: float) -> None:
    prompts, answers, occurrences = sample(size)
    joint = joint_of(prompts, answers, occurrences)
    assert len(joint.shares) <= MOST_PAIRS

    def work(prompt: float, answer: float) -> float:
        return prompt * prompt_price + answer * answer_price

    costs = work(prompts, answers)
    exact = LengthDistribution.of(costs, occurrences, max_knots=size)
    joined = joint.distribution(work)
    errors = [abs(exact.quantile(cost) - joined.quantile(cost)) for cost in costs[:500]]
    assert np.mean(errors) < 0.01
    assert max(errors) < 0.04


@given(
    st.lists(st.tuples(st.integers(1, 10_000), st.floats(0.5, 1e5), st.integers(1, 50)), min_size=1, max_size=700),
)
def test_any_sample_has_a_distribution_with_its_mass_on_both_sides(pairs: list[tuple[int, float, int]]) -> None:
    prompts, answers, occurrences = np.array(pairs, dtype=np.float64).T
    joint = joint_of(prompts, answers, occurrences)
    assert sum(joint.shares) == pytest.approx(1)
    distribution = joint.distribution(lambda prompt, answer: prompt + answer)
    assert distribution.quantile(0.1) < 0.5 < distribution.quantile(1e9)
    assert min(prompts) <= joint.median_prompt_tokens <= max(prompts)


@pytest.mark.parametrize(
    "changes",
    [{"shares": (1.0,)}, {"shares": (0.5, 0.0)}, {"prompt_tokens": (1.0, -1.0)}, {"tokens_per_character": 0.0}],
    ids=str,
)
def test_pairs_that_cannot_be_are_refused(changes: dict[str, object]) -> None:
    whole = {"prompt_tokens": (1.0, 2.0), "predicted_tokens": (3.0, 4.0), "shares": (0.5, 0.5)}
    with pytest.raises(ValidationError):
        JointSample.model_validate({**whole, "tokens_per_character": 0.25, **changes})


def test_pairs_come_back_as_they_were_written() -> None:
    joint = joint_of(*sample(2_000))
    assert JointSample.model_validate_json(joint.model_dump_json()) == joint
