"""The demo and the loop type commands and options that there are."""

from collections.abc import Sequence
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.demo import demo
from benchmarks.demo.steps import DemoError, Stage, Step
from cli.commands import find_command
from loop.demo import closed_loop

STEPS = [
    *demo.steps(),
    closed_loop.ask_step("ask", "Ask.", closed_loop.ASKED_FILE, "http://127.0.0.1:3000"),
    closed_loop.training_step(),
    closed_loop.promotion_step(),
    closed_loop.watch_step(),
    closed_loop.retraining_step(),
]


def given(command: Sequence[str]) -> tuple[str, set[str]]:
    """The name of the command, and the options that it is given."""
    name = command[command.index("-e") + 1] if "-e" in command else "train"
    return name, {after.partition("=")[0] for word, after in pairwise(command) if word == "-P"}


@pytest.mark.parametrize("step", [one for one in STEPS if one.command[0] == "mlflow"], ids=lambda one: one.name)
def test_each_command_and_its_options_are_known(step: Step) -> None:
    name, options = given(step.command)
    command = find_command(name)
    assert command is not None
    assert options <= {field.name for field in fields(command.load_settings())}


def test_output_is_kept_and_a_step_that_fails_ends_the_rest(tmp_path: Path) -> None:
    says, fails = ["python", "-c", "print('said')"], ["python", "-c", "raise SystemExit(3)"]
    with pytest.raises(DemoError, match=r"'second' failed with exit code 3; its log is .*second\.log"):
        Stage(tmp_path, 3).run([Step("first", "", says), Step("second", "", fails), Step("third", "", says)])
    assert (tmp_path / "first.log").read_text() == "said\n"
    assert not (tmp_path / "third.log").exists()
