"""`pars watch`: a journal's answers against the card of the ranker that placed them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from registry import store
from registry.promotion import GATE_TAG
from serving.journal.journal_columns import JOURNAL
from tests.conftest import Command, tracking
from tests.serving.drift.planted_answers import LENGTHS, planted

CHATS = LENGTHS["chats, spread 0.9"]
START_S, EVERY_S = 1.79e9, 30.0
MODEL, TAU = "pars-demo-llm", 0.5


@pytest.fixture
def registry(ranker_store: str, tmp_path: Path) -> Iterator[mlflow.MlflowClient]:
    """A registry that a test may change: each card says a tau-b of 0.5, version 1 is the champion, by hand."""
    copy = tmp_path / "mlflow.db"
    copy.write_bytes(Path(ranker_store.removeprefix("sqlite:///")).read_bytes())
    with tracking(f"sqlite:///{copy}"):
        yield mlflow.MlflowClient()


def served(tau: float, count: int, seed: int, **columns: Any) -> list[dict[str, Any]]:
    """Rows of a journal that keeps no texts."""
    predicted, true = planted(tau, count, np.random.default_rng(seed), CHATS)
    common = {"model": "demo-llm", "ending": "ended", "placed_by": "encoder", "correction": 1.0, "quantile": 0.5}
    common |= {"ranker_version": f"models:/{MODEL}/1", **columns}
    pairs = zip(predicted.tolist(), true.tolist(), strict=True)
    return [{**common, "predicted_tokens": one, "output_tokens": int(other)} for one, other in pairs]


def write_journal(folder: Path, *parts: list[dict[str, Any]]) -> Path:
    rows = [row for part in parts for row in part]
    for place, row in enumerate(rows):
        row |= {"request_id": str(place), "arrival_s": START_S + place * EVERY_S, "prompt_key": f"key{place}"}
    folder.mkdir()
    pq.write_table(pa.Table.from_pylist(rows, JOURNAL), folder / "journal.parquet")
    return folder


def run_of(registry: mlflow.MlflowClient) -> Any:
    """The only run of a watch."""
    (run,) = mlflow.search_runs(output_format="list", search_all_experiments=True, filter_string="tags.watch != ''")
    return run


def test_journal_of_answers_as_the_card_says_is_quiet(
    registry: mlflow.MlflowClient, tmp_path: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    unranked = served(TAU, 40, 9, placed_by="median", fail_open_reason="no_text", ranker_version=None)
    folder = write_journal(
        tmp_path / "journal", served(TAU, 1500, 1), [one | {"predicted_tokens": None} for one in unranked]
    )
    assert command("watch", "--journal", str(folder), "--target-llm", "demo-llm") == 0
    said = capsys.readouterr().out
    assert re.search(rf"{MODEL}/1 over .*1,540 answers.*: quiet, it is as its card says", said)
    assert "The champion, version 1, passed no gate" in said
    assert "No tier had placed 2.6% of the answers: no_text 2.6%." in said
    run = run_of(registry)
    assert run.data.tags["watch"] == "quiet"
    assert run.data.metrics["kendall_tau_b"] == pytest.approx(TAU, abs=0.08)
    charts = [one.path for one in registry.list_artifacts(run.info.run_id, "charts")]
    assert len(charts) == 6
    assert any("kendall_tau_b" in path.lower().replace("-", "_").replace(" ", "_") for path in charts), charts
    tags = registry.get_registered_model(MODEL).tags
    assert tags["watch"] == "quiet"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", tags["watch_at"])


def test_planted_drift_is_an_alarm_that_says_since_when(
    registry: mlflow.MlflowClient, tmp_path: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    registry.set_model_version_tag(MODEL, "1", GATE_TAG, "promoted")
    folder = write_journal(tmp_path / "journal", served(TAU, 1500, 1), served(TAU - 0.25, 500, 2))
    words = ("watch", "--journal", str(folder), "--target-llm", "demo-llm")
    assert command(*words) == 0, "an alarm is said, and is no failure"
    said = capsys.readouterr().out
    found = re.search(
        r"ALARM, it is not what its card says \(tau-b since 2026-09-\d\d \d\d:\d\d UTC, answer (\S+)", said
    )
    assert found and 1500 < int(found.group(1).strip(";),").replace(",", "")) <= 2000, said
    assert "gate" not in said
    assert registry.get_registered_model(MODEL).tags["watch"].startswith("alarm: kendall_tau_b")
    assert command(*words, "--fail-on-alarm") == 1
    assert "ALARM" in capsys.readouterr().err
    assert run_of_last(registry).info.status == "FINISHED", "the watch has done what it should"


def run_of_last(registry: mlflow.MlflowClient) -> Any:
    return mlflow.search_runs(
        output_format="list", search_all_experiments=True, filter_string="tags.watch != ''", max_results=1
    )[0]


def test_correction_hides_no_drift(
    registry: mlflow.MlflowClient, tmp_path: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = served(TAU, 1500, 1)
    for row in rows[700:]:
        row["output_tokens"] *= 2
        row["correction"] = 2.0
    folder = write_journal(tmp_path / "journal", rows)
    assert command("watch", "--journal", str(folder), "--target-llm", "demo-llm") == 0
    assert "ALARM, it is not what its card says (true ÷ predicted length since" in capsys.readouterr().out
    assert run_of(registry).data.metrics["correction"] == 2


def test_each_ranker_is_held_against_its_own_answers(
    registry: mlflow.MlflowClient, tmp_path: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two servers that swap at different times write answers of two rankers in turn."""
    store.promote("demo-llm", 2)
    old, new = served(TAU - 0.3, 600, 1), served(TAU, 600, 2, ranker_version=f"models:/{MODEL}/2")
    mixed = [row for pair in zip(old, new, strict=True) for row in pair]
    folder = write_journal(tmp_path / "journal", mixed)
    assert command("watch", "--journal", str(folder), "--target-llm", "demo-llm") == 0
    said = capsys.readouterr().out
    assert f"{MODEL}/2 over" in said and "quiet" in said
    assert re.search(rf"Before, {MODEL}/1 had alarms: tau-b at", said)


def test_what_cannot_be_watched_is_said(
    registry: mlflow.MlflowClient, tmp_path: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("watch", "--target-llm", "demo-llm", "--journal")
    folder = write_journal(tmp_path / "journal", served(TAU, 60, 1, placed_by="arrival"))
    assert command(*words, str(folder)) == 1
    assert "the watch needs answers that a registered ranker had placed" in capsys.readouterr().err
    gone = write_journal(tmp_path / "gone", served(TAU, 60, 1, ranker_version=f"models:/{MODEL}/9"))
    assert command(*words, str(gone)) == 1
    assert f"models:/{MODEL}/9" in capsys.readouterr().err
    few = write_journal(tmp_path / "few", served(TAU, 20, 1))
    assert command(*words, str(few)) == 0
    assert "20 ranked answers, and 50 are needed" in capsys.readouterr().out
