"""Without a journal or a log a challenger is judged on its training's test prompts, if they are the same."""

from pathlib import Path

import pytest

from loop.gate.config import GateConfig
from loop.gate.judgement import judge_challenger
from registry import store
from tests.loop.gate.requests import known, registered, rows, written
from traffic.length_log import LengthLogSource, read_length_log
from traffic.split import split_of


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return written(tmp_path / "trained-on.jsonl", rows(2500, 0.0))


def trained(tmp_path: Path, log: Path, seed: int) -> int:
    digest = read_length_log(LengthLogSource(lengths=log)).digest
    params = {"lengths": str(log), "model": "None", "group_column": "None", "bad_row_share": "0.0", "seed": str(seed)}
    return registered(tmp_path, known(0.5, seed), params=params, data_digest=digest)


def test_it_is_judged_on_the_test_prompts_of_that_log(registry: str, tmp_path: Path, log: Path) -> None:
    store.promote("demo-llm", trained(tmp_path, log, 0))
    trained(tmp_path, log, 1)
    judged = judge_challenger(GateConfig(target_llm="demo-llm"))
    tests = sum(split_of(row["prompt"]) == "test" for row in rows(2500, 0.0))
    assert judged.judged_on == f"{tests} test prompts of trained-on.jsonl, on which version 2 was trained"
    assert judged.decision.is_promoted, judged.decision.sentence
    names = {one.name for one in judged.decision.findings}
    assert {"kendall_tau_b", "instant_kendall_tau_b", "calibration_error", "memory", "memory_of_reference"} <= names
    assert any("Nothing was simulated" in note for note in judged.checked.notes)


@pytest.mark.parametrize(("change", "says"), [("gone", "is not there any more"), ("grown", "holds other rows by now")])
def test_a_log_that_is_another_one_by_now_is_not_used(
    registry: str, tmp_path: Path, log: Path, change: str, says: str
) -> None:
    trained(tmp_path, log, 0)
    log.unlink() if change == "gone" else written(log, rows(2400, 0.0))
    judged = judge_challenger(GateConfig(target_llm="demo-llm"))
    assert judged.decision.is_promoted
    assert "kendall_tau_b" not in {one.name for one in judged.decision.findings}
    assert any(says in note for note in judged.checked.notes)
