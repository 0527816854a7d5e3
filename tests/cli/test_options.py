"""`cli/options.py`: a command line from a dataclass."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from cli.options import read_settings
from registry.errors import InvalidInput


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
    loads: tuple[float, ...] = ()
    at_most: int | None = None
    rate: float = 0.5
    kind: Literal["a", "b"] = "a"
    switch: Literal["on", "off"] = "off"
    flags: str = ""
    is_dry: bool = False

    def __post_init__(self) -> None:
        if self.rate < 0:
            raise InvalidInput(f"rate must be at least 0, but got {self.rate}.")


GIVEN = ("--file", "log", "--names", "x, y")
BARE = Settings(file=Path("log"), names=("x", "y"))


def read(*words: str) -> Settings:
    return read_settings(Settings, words, "pars it", "What it does.")


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        read(*words)
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_every_field_is_an_option_with_the_default_of_the_dataclass() -> None:
    assert read(*GIVEN) == BARE


def test_given_options_have_the_types_of_the_fields() -> None:
    given = ("--at-most", "3", "--rate", "2", "--kind", "b", "--is-dry", "--column", "c", "--loads", "0.3,2")
    expected = Settings(
        file=Path("log"), names=("x", "y"), column="c", at_most=3, rate=2.0, kind="b", is_dry=True, loads=(0.3, 2.0)
    )
    assert read(*GIVEN, *given) == expected


def test_names_may_be_written_as_mlflow_and_yaml_write_them() -> None:
    assert read(*GIVEN, "--at_most", "3", "--is_dry", "true").at_most == 3
    assert read(*GIVEN, "--is_dry", "true").is_dry
    assert not read(*GIVEN, "--is_dry", "false").is_dry


def test_an_empty_option_is_not_given() -> None:
    assert read(*GIVEN, "--at-most", "", "--column=", "--rate", "", "--more", "", "--is-dry", "") == BARE
    assert read("--is_dry=", *GIVEN) == BARE


def test_a_value_may_begin_with_dashes() -> None:
    assert read(*GIVEN, "--flags", "--dtype float32").flags == "--dtype float32"


@pytest.mark.parametrize(
    ("option", "value"), [("--at-most", "some"), ("--rate", "fast"), ("--kind", "c"), ("--loads", "1,fast")]
)
def test_a_wrong_value_is_named(capsys: pytest.CaptureFixture[str], option: str, value: str) -> None:
    told = refused(capsys, *GIVEN, option, value)
    assert option in told
    assert value.rpartition(",")[2] in told


def test_a_misspelt_option_is_told_the_right_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--at-most" in refused(capsys, *GIVEN, "--at-moost", "3")


def test_an_option_that_lacks_its_value_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--kind" in refused(capsys, *GIVEN, "--kind")


def test_a_value_that_the_settings_refuse_is_a_users_mistake() -> None:
    with pytest.raises(InvalidInput, match="rate must be at least 0, but got -1"):
        read(*GIVEN, "--rate", "-1")


def test_help_is_the_docstring_of_the_field(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read("--help")
    told = " ".join(capsys.readouterr().out.split())
    assert "Several names." in told
    assert "What it does." in told
    assert "--config FILE" in told


def config(folder: Path, text: str) -> tuple[str, str]:
    (folder / "it.yaml").write_text(text)
    return "--config", str(folder / "it.yaml")


def test_a_file_gives_options_and_what_is_given_beside_it_comes_first(tmp_path: Path) -> None:
    written = config(tmp_path, "file: log\nnames: [x, y]\nswitch: on\nis_dry: true\nrate: 3\nat-most: 4\ncolumn:\n")
    in_file = Settings(file=Path("log"), names=("x", "y"), switch="on", is_dry=True, rate=3.0, at_most=4)
    assert read(*written) == in_file
    beside = read("--rate", "0.5", *written, "--is-dry", "false", "--names", "z")
    assert (beside.rate, beside.is_dry, beside.names, beside.at_most) == (0.5, False, ("z",), 4)


def test_a_name_in_a_file_that_is_no_setting_is_told_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"names .at_moost., which is no setting; did you mean at_most\?"):
        read(*GIVEN, *config(tmp_path, "at_moost: 3\n"))


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [", "just words"])
def test_a_file_that_is_no_mapping_is_a_users_mistake(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidInput, match="config must"):
        read(*GIVEN, *config(tmp_path, text))


def test_a_file_that_is_not_there_is_a_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        read(*GIVEN, f"--config={tmp_path / 'none.yaml'}")


def test_a_file_that_mlflow_keeps_is_downloaded(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text("{}")
    fetched = read("--names", "x", "--file", f"file://{tmp_path}/log.jsonl").file
    assert fetched.read_text() == "{}"


def test_an_address_that_cannot_be_had_is_a_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="an address that MLflow knows"):
        read("--names", "x", "--file", f"file://{tmp_path}/none.jsonl")


def test_an_address_is_no_file_where_none_is_asked_for() -> None:
    assert read(*GIVEN, "--column", "http://host/v1").column == "http://host/v1"
