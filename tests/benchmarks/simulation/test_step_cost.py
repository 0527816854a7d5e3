"""Coefficients that were measured, and their file."""

from pathlib import Path

import pytest

from benchmarks.simulation.step_cost import StepCost, ready_made
from registry.errors import InvalidInput

COST = StepCost(fixed_s=0.01, per_token_s=1e-4, per_sequence_s=1e-3, intake_s=0.002, measured_on="here")


def test_cost_comes_back_as_it_was_written(tmp_path: Path) -> None:
    assert StepCost.read(str(COST.write(tmp_path))) == COST


def test_step_costs_its_parts() -> None:
    assert COST.step_s(tokens=100, sequences=2) == pytest.approx(0.01 + 0.01 + 0.002)


@pytest.mark.parametrize("name", ready_made())
def test_ready_made_costs_can_be_read_and_say_what_was_measured_and_what_assumed(name: str) -> None:
    assert any(word in StepCost.read(name).measured_on for word in ("measured", "assumed"))


def test_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(InvalidInput, match=f"one of .*{ready_made()[0]}.* but got 'nothing'"):
        StepCost.read("nothing")


@pytest.mark.parametrize(
    "text", ["no json", '{"speed": 1}', '{"fixed_s": "fast", "per_token_s": 0, "per_sequence_s": 0}']
)
def test_other_file_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "cost.json").write_text(text)
    with pytest.raises(InvalidInput, match="as measure-engine writes it"):
        StepCost.read(str(tmp_path / "cost.json"))


def test_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInput, match="as measure-engine writes it"):
        StepCost.read(str(tmp_path / "model.onnx"))
