"""`pars` and `python -m ROOM`: which commands there are."""

import os
import signal
import subprocess
import sys

import pytest

from cli.commands import COMMANDS
from tests.conftest import Command


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

    monkeypatch.setattr("cli.actions.descriptions.describe", describe)
    before = signal.getsignal(signal.SIGTERM)
    assert command("describe", "--log", "any.jsonl") == 128 + signal.SIGTERM
    assert stopped == ["the server"]
    assert signal.getsignal(signal.SIGTERM) is before
