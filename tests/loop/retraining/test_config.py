"""The settings of a retraining are those of three commands: no name may mean two things."""

from dataclasses import fields
from itertools import combinations
from pathlib import Path

import pytest

from loop.fresh.config import FreshSource
from loop.gate.config import GateConfig, Judging
from loop.retraining.config import RetrainConfig
from registry.errors import InvalidInput
from training.config import TrainingConfig
from training.recipe import Recipe


def test_no_setting_means_two_things() -> None:
    names = [{one.name for one in fields(room)} for room in (FreshSource, Judging, Recipe)]
    assert [first & second for first, second in combinations(names, 2)] == [set(), set(), set()]


def test_a_training_and_the_gate_get_what_they_would_get_by_themselves() -> None:
    config = RetrainConfig(target_llm="any", journal=Path("journal"))
    assert config.training(Path("log")) == TrainingConfig(lengths=Path("log"), target_llm="any")
    alone = GateConfig(target_llm="any", journal=Path("journal"), version="7", days=0.5, max_requests=20_000)
    assert config.gate(7, 0.5) == alone


def test_what_is_given_goes_where_it_belongs() -> None:
    config = RetrainConfig(target_llm="any", margin=2.0, tau_margin=0.01, learning_rate=1e-3, epochs=1)
    training = config.training(Path("log"), learning_rate=5e-5, epochs=9)
    assert (training.margin, training.learning_rate, training.epochs) == (2.0, 1e-3, 1)
    assert config.gate(1, 1.0).tau_margin == 0.01


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"test_days": 0.0}, "test_days must be above 0"),
        ({"min_new": 1}, "min_new must be at least 2"),
        ({"lease_s": 1.0}, "lease_s must be at least 60"),
        ({"margin": 0.0}, "margin must be above 0"),
        ({"confidence": 1.0}, "confidence must be"),
        ({"epochs": 0}, "epochs must be at least 1"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_read(given: dict[str, float], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        RetrainConfig(target_llm="any", **given)  # type: ignore[arg-type]
