"""`pars` and `python -m ROOM`: which commands there are."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import mlflow
import pytest

from cli.commands import COMMANDS
from tests.conftest import Command, tracking


def test_the_overview_names_every_command(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command() == 0
    told = capsys.readouterr().out
    assert all(f"  {one.name} " in told for one in COMMANDS)


def test_an_unknown_command_is_told_the_nearest_one(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("promot") == 1
    assert "but got 'promot'; did you mean promote?" in capsys.readouterr().err


def test_an_empty_name_is_no_command(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("", "--target-llm", "llm") == 1
    assert "but got ''" in capsys.readouterr().err


def test_a_former_name_is_still_understood(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("calibrate", "--help") == 0
    assert "usage: pars measure-engine" in capsys.readouterr().out


def test_no_two_commands_share_a_name() -> None:
    names = [one.name for one in COMMANDS] + [one.former_name for one in COMMANDS if one.former_name]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("room", "name", "other"), [("training", "train", "replay"), ("benchmarks", "replay", "train")]
)
def test_a_room_knows_its_own_commands_only(room: str, name: str, other: str) -> None:
    told = subprocess.run([sys.executable, "-m", room, "--help"], capture_output=True, text=True, check=True).stdout
    assert f"  {name} " in told
    assert f"  {other} " not in told


def test_a_command_that_is_ended_stops_what_it_has_started_first(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = []

    def describe(_: object) -> str:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            return "the signal was not heard"
        finally:
            stopped.append("the server")

    monkeypatch.setattr("cli.descriptions.describe", describe)
    before = signal.getsignal(signal.SIGTERM)
    assert command("describe", "--log", "any.jsonl") == 128 + signal.SIGTERM
    assert stopped == ["the server"]
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_run_of_a_command_that_needs_none_says_what_was_done(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, empty_database: Path
) -> None:
    store = tmp_path / "mlflow.db"
    store.write_bytes(empty_database.read_bytes())
    client = mlflow.MlflowClient(f"sqlite:///{store}")
    log = tmp_path / "log.jsonl"
    log.write_text('{"prompt": "a", "output_tokens": 1}\n')
    run = client.create_run("0", run_name="peaceful-bird-928")
    monkeypatch.setenv("MLFLOW_RUN_ID", run.info.run_id)
    with tracking(f"sqlite:///{store}"):
        assert command("describe", str(log)) == 0
    assert client.get_run(run.info.run_id).info.run_name == "describe"
