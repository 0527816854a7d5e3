"""Coefficients that were measured, and their file."""

from dataclasses import replace
from pathlib import Path

import pytest

from registry.errors import InvalidInput
from serving.work.step_cost import StepCost, ready_made

COST = StepCost(fixed_s=0.01, per_token_s=1e-4, per_sequence_s=1e-3, intake_s=0.002, measured_on="here")


def test_cost_comes_back_as_it_was_written(tmp_path: Path) -> None:
    assert StepCost.read(str(COST.write(tmp_path))) == COST


def test_step_costs_its_parts() -> None:
    cost = replace(COST, per_context_token_s=1e-5, per_longest_token_s=1e-6)
    assert cost.step_s(tokens=100, contexts=[300, 700]) == pytest.approx(0.01 + 0.01 + 0.002 + 0.01 + 0.0007)


def test_file_of_before_there_were_contexts_is_still_read(tmp_path: Path) -> None:
    (tmp_path / "cost.json").write_text('{"fixed_s": 0.034, "per_token_s": 0, "per_sequence_s": 0}')
    assert StepCost.read(str(tmp_path / "cost.json")).step_s(tokens=9, contexts=[1000]) == 0.034


@pytest.mark.parametrize("name", ["per_context_token_s", "per_longest_token_s"])
def test_context_that_costs_less_than_nothing_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match=f"{name} of a step cost must be at least 0"):
        replace(COST, **{name: -1e-9})


@pytest.mark.parametrize("name", ready_made())
def test_ready_made_costs_were_measured(name: str) -> None:
    cost = StepCost.read(name)
    assert "measured by measure-engine" in cost.measured_on
    assert 0 < cost.relative_error < 0.1


def test_coefficient_can_be_assumed_and_is_said_to_be(tmp_path: Path) -> None:
    path = COST.write(tmp_path)
    cost = StepCost.read(f"{path}, per_longest_token_s = 2e-6,intake_s=0")
    assert (cost.per_longest_token_s, cost.intake_s, cost.fixed_s) == (2e-6, 0.0, COST.fixed_s)
    assert cost.measured_on == "here; assumed: per_longest_token_s of 2e-06, intake_s of 0"
    assert "assumed" not in StepCost.read(str(path)).measured_on


def test_file_whose_name_has_a_comma_is_found(tmp_path: Path) -> None:
    path = COST.write(tmp_path).rename(tmp_path / "cost,of=today.json")
    assert StepCost.read(str(path)) == COST


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ("speed=1", "one of fixed_s, .* got 'speed'"),
        ("measured_on=here", "one of fixed_s, .* got 'measured_on'"),
        ("fixed_s=fast", "a number of seconds, but got 'fast'"),
        ("fixed_s", "a number of seconds, but got ''"),
        ("per_token_s=-1", "at least 0 seconds, but got -1"),
        ("per_token_s=nan", "at least 0 seconds, but got nan"),
    ],
)
def test_other_assumption_is_refused(change: str, refusal: str) -> None:
    with pytest.raises(InvalidInput, match=refusal):
        StepCost.read(f"{ready_made()[0]},{change}")


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
