"""`cli/mlproject.py`, and how MLflow reads what it writes."""

from dataclasses import fields

import pytest
from mlflow.projects.utils import load_project

from cli.commands import COMMANDS, Command
from cli.mlproject import mlproject, setting_docstrings
from tests.servers import PROJECT


def test_the_file_in_the_project_is_what_would_be_written() -> None:
    assert (PROJECT / "MLproject").read_text(encoding="utf-8") == mlproject()


def test_mlflow_passes_on_what_is_given_and_nothing_else() -> None:
    train = load_project(str(PROJECT)).get_entry_point("main")
    command = train.compute_command({"target_llm": "it's mine", "config": "a.yaml"}, None)
    assert command == "python -m training train --target_llm 'it'\"'\"'s mine' --config a.yaml"


def test_an_entry_point_that_was_renamed_still_works() -> None:
    project = load_project(str(PROJECT))
    assert project.get_entry_point("calibrate").command == "python -m benchmarks calibrate"
    assert project.get_entry_point("measure-engine").command == "python -m benchmarks measure-engine"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.name)
def test_every_setting_of_every_command_is_explained(command: Command) -> None:
    settings = command.load_settings()
    explained = setting_docstrings(settings)
    assert [one.name for one in fields(settings) if not explained.get(one.name)] == []
    assert callable(command.load())
