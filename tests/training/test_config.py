"""`training/config.py`: what no training can be."""

from pathlib import Path
from typing import Any

import pytest

from registry.errors import InvalidInput
from training.config import TrainingConfig
from training.presets import PRESETS


def config(**changes: Any) -> TrainingConfig:
    return TrainingConfig(lengths=Path("log.jsonl"), **{"target_llm": "llm", **changes})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"target_llm": " "}, "target_llm must name"),
        ({"test_prompts": 1}, "test_prompts must be at least 2, or 0 for all of them, but got 1"),
        ({"test_prompts": -1}, "test_prompts must be at least 2, or 0 for all of them, but got -1"),
        ({"trials": -1}, "trials must be at least 0, but got -1"),
        ({"max_prompts": 1}, "max_prompts must be at least 2, but got 1"),
        ({"max_tokens": 4}, "max_tokens must be at least 8"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"margin": 0.0}, "margin must be above 0"),
        ({"learning_rate": -1.0}, "learning_rate must be above 0"),
        ({"devices": 0}, "devices must be at least 1, but got 0"),
        ({"coverage": 0.0}, "coverage must be above 0 and at most 1, but got 0.0"),
        ({"coverage": 1.1}, "coverage must be above 0 and at most 1, but got 1.1"),
        ({"min_length_difference": 1.0}, r"min_length_difference must be in \[0, 1\), but got 1.0"),
        ({"warm_up": 1.0}, r"warm_up must be in \[0, 1\) and weight_decay at least 0, but got 1.0 and 0.01"),
        ({"weight_decay": -0.1}, "weight_decay at least 0, but got 0.1 and -0.1"),
        ({"partners": 0}, "partners must be at least 1"),
        ({"batch_pairs": 0}, "batch_pairs must be at least 1"),
        ({"preset": "best"}, "preset must be one of default, paper, but got 'best'"),
        (
            {"preset": "paper", "trials": 6},
            "a study would change the values of preset=paper, but got trials=6; give trials=0",
        ),
    ],
)
def test_an_impossible_setting_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        config(**changes)


def test_the_paper_preset_is_the_published_recipe() -> None:
    paper = config(preset="paper", trials=0)
    assert (paper.pairing, paper.partners, paper.batch_pairs) == ("sampled", 10, 128)
    assert (paper.loss, paper.margin, paper.min_length_difference) == ("margin_ranking", 1.0, 0.2)
    assert (paper.learning_rate, paper.weight_decay, paper.warm_up) == (2e-5, 0.01, 0.1)
    assert (paper.epochs, paper.max_tokens, paper.pair_weighting) == (3, 128, "none")


def test_the_default_preset_changes_nothing() -> None:
    assert config(learning_rate=1e-5, preset="default").learning_rate == 1e-5


@pytest.mark.parametrize("name", PRESETS["paper"])
def test_a_value_beside_a_preset_may_repeat_it_or_be_the_default_but_not_contradict_it(name: str) -> None:
    value = PRESETS["paper"][name]
    for agreeing in (value, getattr(TrainingConfig, name)):
        assert getattr(config(preset="paper", trials=0, **{name: agreeing}), name) == value
    other = "other" if isinstance(value, str) else value * 3
    with pytest.raises(InvalidInput, match=f"preset=paper sets {name} to {value}, but got {name}={other}"):
        config(preset="paper", trials=0, **{name: other})


def test_a_preset_stays_when_another_value_changes() -> None:
    assert config(preset="paper", trials=0).with_values({"seed": 5}).learning_rate == 2e-5


def test_a_control_never_has_the_name_of_the_ranker() -> None:
    assert config().ranker_target_llm == "llm"
    assert config(shuffle_labels=True).ranker_target_llm == "llm-control"


def test_a_study_lies_where_it_is_told_to_or_beside_the_checkpoint_or_in_memory(tmp_path: Path) -> None:
    assert config().study_storage is None
    assert config(checkpoint=tmp_path).study_storage == f"sqlite:///{tmp_path}/study.db"
    assert config(checkpoint=tmp_path, storage="sqlite:///other.db").study_storage == "sqlite:///other.db"
