"""`training/config.py`, and MLproject's and the command line's agreement with it."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from training import __main__ as cli
from training.config import TrainingConfig, TrainingError
from training.evaluate import EvaluationConfig

PROJECT = yaml.safe_load((Path(__file__).parents[2] / "MLproject").read_text())
CONFIGS = {"main": TrainingConfig, "evaluate": EvaluationConfig}
COMMANDS: dict[str, Callable[..., None]] = {"main": cli.train, "evaluate": cli.evaluate_command}


def config(**changes: Any) -> TrainingConfig:
    return TrainingConfig(lengths=Path("log.jsonl"), **{"target_llm": "llm", **changes})


@pytest.mark.parametrize("entry_point", CONFIGS)
def test_mlproject_has_the_defaults_of_the_dataclass(entry_point: str) -> None:
    for name, parameter in PROJECT["entry_points"][entry_point]["parameters"].items():
        if isinstance(parameter, dict):
            default = getattr(CONFIGS[entry_point], name)
            assert parameter["default"] == ("" if default is None else default), name


@pytest.mark.parametrize("entry_point", CONFIGS)
def test_the_command_line_has_the_defaults_of_the_dataclass(entry_point: str) -> None:
    for name, parameter in inspect.signature(COMMANDS[entry_point]).parameters.items():
        if parameter.default is not inspect.Parameter.empty:
            assert (parameter.default or None) == (getattr(CONFIGS[entry_point], name) or None), name


@pytest.mark.parametrize("entry_point", PROJECT["entry_points"])
def test_mlproject_passes_every_parameter_on(entry_point: str) -> None:
    description = PROJECT["entry_points"][entry_point]
    for name in description["parameters"]:
        assert f"--{name.replace('_', '-')} {{{name}}}" in description["command"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"target_llm": " "}, "target_llm must name"),
        ({"trials": -1}, "trials must be at least 0, but got -1"),
        ({"max_prompts": 1}, "max_prompts must be at least 2, but got 1"),
        ({"max_tokens": 4}, "max_tokens must be at least 8"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"margin": 0.0}, "margin and learning_rate must be above 0"),
        ({"learning_rate": -1.0}, "margin and learning_rate must be above 0"),
        ({"min_length_difference": 1.0}, r"min_length_difference must be in \[0, 1\), but got 1.0"),
    ],
)
def test_an_impossible_setting_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(TrainingError, match=told):
        config(**changes)


def test_a_control_never_has_the_name_of_the_ranker() -> None:
    assert config().ranker_target_llm == "llm"
    assert config(shuffle_labels=True).ranker_target_llm == "llm-control"
