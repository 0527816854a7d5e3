"""`benchmarks/policies/rivals.py`."""

import numpy as np
import pytest

from benchmarks.policies.rivals import FITTED, RIVALS, RULES, Rivals
from registry.errors import InvalidInput
from traffic.labelled_prompts import LabelledPrompts
from training.judging.baselines.baselines import BASELINES


@pytest.fixture
def train() -> LabelledPrompts:
    """Stories are long and words are short."""
    prompts = [f"{what} {number}" for number in range(60) for what in ("Write a long story about", "Name one word for")]
    tokens = np.array([300.0, 3.0] * 60)
    return LabelledPrompts.of(prompts, tokens, np.zeros(120, dtype=np.bool_))


def test_what_is_fitted_orders_unseen_prompts_by_what_the_training_prompts_taught(train: LabelledPrompts) -> None:
    prompts = ["Write a long story about owls", "Name one word for owls"]
    rivals = Rivals.of(FITTED, prompts, train, (), seed=0)
    for name in FITTED:
        story, word = (rivals.places[name][prompt] for prompt in prompts)
        assert 0 < word < story < 1
        assert rivals.quantiles_of(prompts)[name].tolist() == [story, word]
    assert any("learned from the 120 training prompts" in note for note in rivals.notes)
    assert any("found beforehand, so finding them cost no time" in note for note in rivals.notes)


def test_only_what_is_asked_for_is_found(train: LabelledPrompts) -> None:
    assert Rivals.of({"fcfs", "oracle"}, ["a"], None, (), seed=0) == Rivals()
    assert set(Rivals.of({"fcfs", RULES}, ["a", "b"], None, (), seed=0).places) == {RULES}


def test_nothing_is_fitted_on_what_it_is_tried_on() -> None:
    with pytest.raises(InvalidInput, match=r"tfidf_ridge is fitted on the training prompts .* give lengths=FILE"):
        Rivals.of({"tfidf_ridge"}, ["a"], None, (), seed=0)


def test_too_few_training_prompts_are_said_to_be_too_few(train: LabelledPrompts) -> None:
    with pytest.raises(InvalidInput, match="the train part must hold prompts with at least two different lengths"):
        Rivals.of({"template_mean"}, ["a"], train.first(1), (), seed=0)


def test_every_baseline_is_a_policy() -> None:
    assert set(BASELINES) - {"prompt_length", "feature_boosting"} == set(RIVALS) == {*FITTED, RULES}
