"""From a planted day to its sentences, its run and its tag."""

import json
from dataclasses import replace
from pathlib import Path
from shutil import copyfile
from typing import Any

import mlflow
import pandas as pd
import pytest

from loop.yesterday.config import YesterdayConfig
from loop.yesterday.verdict import Verdict
from loop.yesterday.yesterday import judge_day, run_yesterday
from registry import store, watch
from registry.errors import InvalidInput
from serving.champion.yesterday_line import Yesterday
from tests.benchmarks.what_if.conftest import COST, SERVERS, simulate
from tests.conftest import tracking
from tests.loop.yesterday.served_days import (
    DAY,
    DAY_S,
    START_S,
    fcfs_over_served,
    served_columns,
    served_rows,
    write_journal,
)
from tests.rankers import write_ranker

NEXT_MORNING_S = START_S + 1.2 * DAY_S


def config(journal: Path, **changes: Any) -> YesterdayConfig:
    return YesterdayConfig(**{"target_llm": "demo-llm", "journal": journal, "max_num_seqs": SERVERS} | changes)


def judged(tmp_path: Path, rows: list[dict[str, Any]], **changes: Any) -> Verdict:
    return judge_day(config(write_journal(tmp_path / "journal", rows), **changes), COST, simulate, NEXT_MORNING_S)


def test_planted_day_would_have_been_worse_by_the_known_factor(tmp_path: Path, empty_database: Path) -> None:
    rows = served_rows()
    known = fcfs_over_served(served_columns(600, 1.3))
    assert known > 2
    with tracking(f"sqlite:///{copyfile(empty_database, tmp_path / 'mlflow.db')}"):
        mlflow.set_experiment(experiment_id=mlflow.create_experiment("yesterday", (tmp_path / "artifacts").as_uri()))
        with mlflow.start_run() as run:
            store.register(write_ranker(tmp_path / "ranker"))
            said = run_yesterday(config(write_journal(tmp_path / "journal", rows)), COST, simulate, NEXT_MORNING_S)
        line = Yesterday.of_tag(watch.look("demo-llm").yesterday)
        logged = mlflow.get_run(run.info.run_id).data
        page = Path(
            mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="report.html")
        ).read_text()
    assert line is not None
    assert line.fcfs_ratio == pytest.approx(known, rel=1e-3)
    assert line.fcfs_ratio_low < known < line.fcfs_ratio_high
    assert line.simulated_over_measured == pytest.approx(1, rel=1e-3)
    assert (line.is_near, line.requests, str(line.day)) == (True, 600, DAY)
    assert logged.metrics["fcfs_ratio"] == pytest.approx(known, rel=1e-3)
    assert said.startswith(f"Under first come, first served answers would have taken longer on {DAY}: ")
    assert said.splitlines()[0] in page
    assert "as served (measured)" in page
    assert "<dd>Leave ordering on.</dd>" in page
    assert "100 % of that gain was there" in said
    assert "show it on /metrics" in said


def test_simulation_far_from_what_was_measured_is_not_to_be_trusted(tmp_path: Path) -> None:
    found = judged(tmp_path, [row | {"end_to_end_s": 3 * row["end_to_end_s"]} for row in served_rows(200)])
    first = next(found.sentences())
    assert first.startswith(
        f"What this simulation says of {DAY} is not to be trusted: it is not near what was measured"
    )
    assert "0.333 times the s per token" in first
    assert not found.line.is_near
    assert found.in_a_line.startswith("Not to be trusted")
    assert found.next_step.startswith("Give the cost of your own engine")


def test_where_nothing_waits_there_is_no_gain(tmp_path: Path) -> None:
    found = judged(tmp_path, served_rows(400, load=0.1))
    assert found.in_a_line == "No contention, no gain"
    first = next(found.sentences())
    assert first.startswith(f"No contention, no gain: hardly anything waited on {DAY}")


def test_other_answers_share_the_engine_but_do_not_count(tmp_path: Path) -> None:
    rows = served_rows(300)
    for number, row in enumerate(rows):
        row |= [{}, {"model": "other-llm"}, {"ending": "aborted"}][number % 3]
    rows.append(rows[0] | {"output_tokens": None})
    found = judged(tmp_path, rows)
    assert (found.requests, len(found.day.traffic)) == (100, 300)
    assert found.is_near, "they are in the queue"
    notes = " ".join(found.day.traffic.notes)
    assert "1 requests of that day never had a token" in notes
    assert "200 answers were simulated with the others" in notes


def test_long_day_is_stood_for_by_windows_of_it(tmp_path: Path) -> None:
    found = judged(tmp_path, served_rows(4000, load=0.95), max_requests=1000)
    assert not found.simulated.stretches.is_whole
    assert found.requests < 1500
    assert found.is_near


def test_by_work_the_oracle_of_work_stands_beside_it(tmp_path: Path) -> None:
    found = judged(tmp_path, served_rows(200, work_s=0.3))
    assert list(found.simulated.answers.policy.unique()) == ["fcfs", "served", "pars", "oracle", "oracle_work"]


def test_what_a_client_has_placed_stands_in_the_middle_and_that_is_said(tmp_path: Path) -> None:
    rows = served_rows(100)
    rows[7] |= {"quantile": None, "placed_by": "client"}
    found = judged(tmp_path, rows)
    assert found.day.quantile[7] == 0.5
    assert "1 requests have no place in the journal" in " ".join(found.day.traffic.notes)


def test_the_last_day_that_is_over_is_taken_unless_another_is_asked_for(tmp_path: Path) -> None:
    rows = served_rows(100)
    journal = write_journal(tmp_path / "journal", rows)
    today = [row | {"arrival_s": row["arrival_s"] + DAY_S} for row in rows[:40]]
    lines = "".join(json.dumps(row) + "\n" for row in today)
    (journal / "20260923T000000Z-000000-1-b.open.jsonl").write_text(lines + '{"arrival_s": 17900')

    def day_of(now_s: float, **changes: Any) -> tuple[str, int]:
        found = judge_day(config(journal, **changes), COST, simulate, now_s)
        return str(found.day.day), found.requests

    assert day_of(NEXT_MORNING_S) == (DAY, 100)
    assert day_of(NEXT_MORNING_S, day="2026-09-23") == ("2026-09-23", 40)
    assert day_of(NEXT_MORNING_S + DAY_S) == ("2026-09-23", 40)


@pytest.mark.parametrize(
    ("changes", "row_changes", "reason"),
    [
        ({"target_llm": "another"}, {}, r"must hold requests to 'another', but .* are to 'demo-llm'"),
        ({"day": "2026-09-01"}, {}, r"no request to 'demo-llm' on 2026-09-01 .*, but 50 from 2026-09-22 to 2026-09-22"),
        ({}, {"placed_by": "arrival"}, r"no ranker has placed a request .* \(placed by: arrival\)"),
        ({}, {"end_to_end_s": None}, r"at least two answers of 'demo-llm' that ended and were timed, but .* has 0"),
        ({}, {"arrival_s": START_S + 1.1 * DAY_S}, r"no day of the journal is over yet: .* give day=2026-09-23"),
        ({"max_model_len": 10}, {}, "at least two requests must fit the engine"),
    ],
)
def test_what_cannot_be_said_is_refused_in_one_sentence(
    tmp_path: Path, changes: dict[str, Any], row_changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InvalidInput, match=reason):
        judged(tmp_path, [row | row_changes for row in served_rows(50)], **changes)


def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="there is no file"):
        judge_day(config(tmp_path / "nowhere"), COST, simulate, NEXT_MORNING_S)
    pd.DataFrame({"arrival_s": ["monday"], "model": [1]}).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(InvalidInput, match="must hold rows of a server's journal"):
        judge_day(config(tmp_path), COST, simulate, NEXT_MORNING_S)


def test_settings_that_cannot_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="a day is written as in 2026-11-26, but got 'monday'"):
        config(tmp_path, day="monday")
    with pytest.raises(InvalidInput, match="max_num_seqs must be at least 1, but got 0"):
        replace(config(tmp_path), max_num_seqs=0)
