"""A replay's settings."""

from dataclasses import MISSING, fields
from pathlib import Path

import pytest
import yaml

from benchmarks.config import ReplayConfig

PROJECT = Path(__file__).parents[2]


def config(**changes: object) -> ReplayConfig:
    return ReplayConfig(**({"lengths": Path("log.jsonl"), "target_llm": "llm"} | changes))  # type: ignore[arg-type]


def test_mlproject_has_every_setting_with_its_default() -> None:
    entry = yaml.safe_load((PROJECT / "MLproject").read_text())["entry_points"]["replay"]
    written = {name: one["default"] for name, one in entry["parameters"].items() if isinstance(one, dict)}
    defaults = {one.name: one.default for one in fields(ReplayConfig) if one.default is not MISSING}
    assert written == {name: "" if value is None else value for name, value in defaults.items()}
    assert all(f"{{{name}}}" in entry["command"] for name in entry["parameters"])


@pytest.mark.parametrize("name", ["requests", "repeats", "control_prompts"])
def test_replay_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be at least 1, but got 0"):
        config(**{name: 0})


def test_odd_number_of_repeats_is_refused() -> None:
    with pytest.raises(ValueError, match="even"):
        config(repeats=3)
