"""`pars doctor`: a line for each check, whatever is wrong, and what to do about it."""

import time
from collections.abc import Iterable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import mlflow
import pytest

from cli.actions.diagnoses import DoctorConfig, diagnose
from registry import store
from registry.errors import InvalidInput
from serving.doctor.diagnosis import Line, examine, report
from serving.doctor.machine import clock, disk, processor
from tests.conftest import tracking
from tests.rankers import write_ranker


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, demo_llm: Path) -> pytest.MonkeyPatch:
    """A server's settings for a tiny LLM."""
    monkeypatch.setenv("PARS_LLM", str(demo_llm))
    monkeypatch.setenv("PARS_TARGET_LLM", "demo-llm")
    monkeypatch.setenv("PARS_CACHE", str(tmp_path / "rankers"))
    return monkeypatch


def lines(text: str, what: str) -> list[str]:
    return [line for line in text.splitlines() if line[6:].startswith(what)]


def promote(tmp_path: Path, **changes: object) -> None:
    experiment = mlflow.create_experiment("doctor", (tmp_path / "artifacts").as_uri())
    mlflow.set_experiment(experiment_id=experiment)
    with mlflow.start_run():
        store.register(write_ranker(tmp_path / "ranker", instant_weight=1.0, **changes))  # type: ignore[arg-type]
    store.promote("demo-llm")


def test_what_is_well_is_said_line_by_line(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PARS_JOURNAL", "text")
    with tracking(f"sqlite:///{tmp_path / 'mlflow.db'}"):
        promote(tmp_path)
        text = diagnose(DoctorConfig())
    assert "WRONG" not in text
    assert text.endswith("Nothing is wrong.")
    assert "--max-num-seqs" in lines(text, "engine")[0]
    assert "version 1 is the champion of demo-llm" in lines(text, "registry")[0]
    assert "encoder" in lines(text, "ranker")[0]
    assert "instant" in lines(text, "ranker")[0]
    assert "with texts" in lines(text, "journal")[0]


def test_what_is_wrong_keeps_nothing_else_from_being_looked_at(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PARS_VLLM_ARGS", "--no-such-flag 3")
    with tracking(f"sqlite:///{tmp_path / 'mlflow.db'}"):
        text = diagnose(DoctorConfig())
    assert "WRONG engine" in text
    assert "--no-such-flag" in text
    assert "WRONG registry" in text
    assert "-e promote" in lines(text, "registry")[0]
    assert lines(text, "disk")
    assert text.endswith("are wrong.")


def test_a_wrong_setting_is_one_line(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PARS_PATIENCE", "5")
    text = diagnose(DoctorConfig())
    assert "did you mean PARS_PATIENCE_S?" in lines(text, "settings")[0]
    assert lines(text, "machine")


def test_a_registry_that_is_away_is_a_line_without_its_password(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with tracking("http://user:hunter2@127.0.0.1:9"):
        text = diagnose(DoctorConfig())
    assert "WRONG registry" in text
    assert "hunter2" not in text


def test_a_check_that_fails_is_a_line() -> None:
    def broken() -> Iterable[Line]:
        raise ZeroDivisionError("a text that nobody checked")

    def refused() -> Iterable[Line]:
        raise InvalidInput("must be so, but is not.")

    def well() -> Iterable[Line]:
        return [Line("fine", "ok", "it is")]

    text = report(examine([("first", broken), ("second", refused), ("third", well)]))
    assert "could not be looked at (ZeroDivisionError)" in text
    assert "nobody checked" not in text
    assert "must be so, but is not." in text
    assert text.endswith("2 of 3 are wrong.")


def test_the_processor_says_what_it_can_do(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("processor : 0\nflags : fpu avx2 avx512_vnni\n")
    (line,) = processor(tmp_path / "cpuinfo")
    assert "avx2, avx512_vnni" in line.found
    (other,) = processor(tmp_path / "nothing")
    assert "avx2" not in other.found


def test_a_folder_that_is_not_there_yet_counts_as_the_one_above_it(tmp_path: Path) -> None:
    (line,) = disk({"journal": tmp_path / "not" / "yet"})
    assert (line.what, line.verdict) == ("disk", "ok")


class Registry(BaseHTTPRequestHandler):
    """Says what time it is there."""

    date = ""

    def do_HEAD(self) -> None:
        self.send_response_only(200)
        self.send_header("Date", self.date)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(("ahead_s", "verdict"), [(0, "ok"), (600, "note")])
def test_the_clock_is_held_against_the_registrys(ahead_s: float, verdict: str) -> None:
    handler = type("At", (Registry,), {"date": formatdate(time.time() + ahead_s, usegmt=True)})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.handle_request, daemon=True).start()
        (line,) = clock(f"http://127.0.0.1:{server.server_port}")
    assert line.verdict == verdict
    assert "from the registry's" in line.found


def test_a_registry_in_a_file_has_no_other_clock(tmp_path: Path) -> None:
    (line,) = clock(f"sqlite:///{tmp_path}/mlflow.db")
    assert line.verdict == "ok"
