"""The commands in the pages: their words are read by the settings that they are for. `test_run.py` runs them."""

import shlex
from collections.abc import Sequence
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from re import findall

import pytest

from cli.commands import Room, find_command
from cli.options import read_settings
from registry.errors import UserError
from tests.docs.blocks import PAGES, blocks_of, commands_of, inline_of
from tests.docs.dry_run import commands_in
from tests.docs.words import asked
from tests.servers import PROJECT

READ = sorted({*PAGES, *(PROJECT / "docs").rglob("*.md"), *PROJECT.glob("[CS]*.md")})
OURS = ("pars ", "python -m ", "bentoml pars ", "mlflow run . ")
TARGETS = set(findall(r"(?m)^([a-z.][a-z./-]*):", (PROJECT / "Makefile").read_text()))


def named(page: Path) -> str:
    return str(page.relative_to(PROJECT))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_marker_is_one_of_three_and_gives_a_reason(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    markers = [block for block in blocks_of(page) if block.marker]
    assert len(markers) == len(findall(r"<!-- *(?:run|not run|options of)\b", text)), "a marker is not read"
    for block in markers:
        match block.marker:
            case "run":
                assert block.said == "served", block.place
            case "options of":
                assert find_command(block.said), block.place
            case "not run":
                assert len(block.said.split()) > 2, f"{block.place} says not why it is not run"
                for test in findall(r"tests/[\w/.]+", block.said):
                    assert (PROJECT / test).exists(), block.place


@pytest.mark.parametrize("page", READ, ids=named)
def test_what_a_block_says_is_there_also_where_it_is_not_run(page: Path) -> None:
    for told in commands_in(commands_of(page)):
        match words := told.words:
            case ["make", *targets]:
                assert {one for one in targets if "=" not in one} <= TARGETS, words
            case ["pytest", *_] | ["python", "-m", *_] if asked(words) is None:
                are_there(words)
            case _ if (command := asked(words, told.block.options_of)) and command.words[0] != "--help":
                read(*command.words, room=command.room)


@pytest.mark.parametrize("page", READ, ids=named)
def test_commands_in_sentences_have_options_that_are_there(page: Path) -> None:
    for text in inline_of(page):
        if text.startswith(OURS) and (command := asked(shlex.split(text))) and (words := command.words):
            found = find_command(words[0], command.room)
            assert found or words[0] in ("NAME", "--help"), text
            given = {one.partition("=")[0][2:].replace("-", "_") for one in words if one.startswith("--")}
            known = {one.name for one in fields(found.load_settings())} if found else set()
            assert given - {"help", "config"} <= known, text


def read(name: str, *words: str, room: Room | None = None) -> None:
    """The command's own settings take these words."""
    command = find_command(name, room)
    assert command is not None, name
    try:
        read_settings(command.load_settings(), command.named(words), name, "")
    except (UserError, SystemExit) as error:
        pytest.fail(f"{name} {' '.join(words)}: {error}")


def are_there(words: Sequence[str]) -> None:
    """Tests and modules that are run."""
    if words[0] == "python":
        assert find_spec(words[2]), words
    for path in (word.split("::")[0] for word in words if word.startswith("tests/")):
        assert (PROJECT / path).exists(), words
