"""`pars COMMAND --help` teaches, and who mistypes is told where to look."""

from dataclasses import fields

import pytest

from cli.commands import COMMANDS, Command
from tests.conftest import Command as Run

commands = pytest.mark.parametrize("one", COMMANDS, ids=lambda one: one.name)


@commands
def test_help_has_a_line_for_each_option(command: Run, capsys: pytest.CaptureFixture[str], one: Command) -> None:
    assert command(one.name, "--help") == 0
    told = capsys.readouterr().out
    words = set(told.replace(",", " ").split())
    missing = [name for field in fields(one.load_settings()) if (name := option(field.name)) not in words]
    assert missing == []


@commands
def test_a_mistyped_option_is_named_and_the_next_step_is_said(
    command: Run, capsys: pytest.CaptureFixture[str], one: Command
) -> None:
    names = [field.name for field in fields(one.load_settings())]
    mistyped = f"{option(names[0])}x" if names else "--optionx"
    assert command(one.name, mistyped, "value") == 2
    told = capsys.readouterr().err
    assert mistyped in told
    assert f"pars {one.name} --help" in " ".join(told.replace("│", " ").split())


def option(name: str) -> str:
    return "--" + name.replace("_", "-")
