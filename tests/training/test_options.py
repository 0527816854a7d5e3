"""`training/options.py`: a command line from a dataclass."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
import typer
from typer.testing import CliRunner

from training.options import attribute_docstrings, takes


@dataclass(frozen=True, kw_only=True)
class Source:
    file: Path
    """Where it
    lies."""
    column: str | None = None


@dataclass(frozen=True, kw_only=True)
class Settings(Source):
    names: tuple[str, ...]
    """Several names."""
    more: tuple[str, ...] = ("c", "d")
    others: tuple[str, ...] = ()
    at_most: int | None = None
    rate: float = 0.5
    kind: Literal["a", "b"] = "a"
    is_dry: bool = False


taken: list[Settings] = []
app = typer.Typer()


@app.command()
@takes(Settings)
def command(settings: Settings) -> None:
    """What it does."""
    taken.append(settings)


def run(*arguments: str) -> str:
    taken.clear()
    result = CliRunner().invoke(app, ["--file", "log", "--names", "x, y", *arguments])
    return result.output


def test_every_field_is_an_option_with_the_default_of_the_dataclass() -> None:
    run()
    assert taken == [Settings(file=Path("log"), names=("x", "y"))]


def test_given_options_have_the_types_of_the_fields() -> None:
    run("--at-most", "3", "--rate", "2", "--kind", "b", "--is-dry", "--column", "c")
    expected = Settings(file=Path("log"), names=("x", "y"), column="c", at_most=3, rate=2.0, kind="b", is_dry=True)
    assert taken == [expected]


def test_an_empty_option_is_not_given() -> None:
    # `mlflow run` passes every parameter on, the empty ones too.
    run("--at-most", "", "--column", "", "--rate", "")
    assert taken == [Settings(file=Path("log"), names=("x", "y"))]


@pytest.mark.parametrize(("option", "value"), [("--at-most", "some"), ("--rate", "fast"), ("--kind", "c")])
def test_a_wrong_value_is_named(option: str, value: str) -> None:
    told = run(option, value)
    assert not taken
    assert option in told
    assert value in told


def test_help_is_the_docstring_of_the_field() -> None:
    assert attribute_docstrings(Settings) == {"file": "Where it lies.", "names": "Several names."}
    told = run("--help")
    assert "Where it lies." in told
    assert "What it does." in told
