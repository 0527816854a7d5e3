"""What the docs name must be there: pages and headings that they link to, commands, options, settings, files."""

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import NamedTuple

import pytest

from cli.commands import COMMANDS, find_command
from serving.config import Settings
from tests.servers import PROJECT

PAGES = [
    *(PROJECT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *sorted((PROJECT / "docs").rglob("*.md")),
]
LINK = re.compile(r"\]\((?!https?:|#/)([^)\s]*)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
OPTION = re.compile(r"(?<=\s)--([a-z][a-z0-9_-]*)")
PARAMETER = re.compile(r"-P ([a-z_]+)=")
VARIABLE = re.compile(r"\bPARS_[A-Z_]+[A-Z]\b")
FILE = re.compile(r"`((?:benchmarks|cli|deploy|docs|loop|registry|serving|tests|traffic|training)/[\w./-]+\.\w+)`")
NOT_SETTINGS = {"PARS_SERVICE_HOST", "PARS_PORT"}
"""What Kubernetes injects."""
MADE_UP = {"traffic/adapters/NAME.py", "traffic/_about/bad_rows.csv"}
"""Files that a reader will make."""


class Called(NamedTuple):
    """A command in a block of a page, with the names of the settings that it is given."""

    line: str
    name: str
    settings: set[str]


pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))


@pages
def test_links_lead_to_pages_and_headings_that_are_there(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        there = (page.parent / path) if path else page
        assert there.exists(), target
        if anchor and there.suffix == ".md":
            assert anchor in set(map(anchor_of, HEADING.findall(there.read_text(encoding="utf-8")))), target


@pages
def test_commands_and_their_options_are_there(page: Path) -> None:
    for called in commands_in(page.read_text(encoding="utf-8")):
        command = find_command(called.name)
        assert command is not None, called.line
        known = {one.name for one in fields(command.load_settings())} | {"config", "help"}
        assert called.settings <= known, called.line


@pages
def test_settings_of_the_server_are_there(page: Path) -> None:
    known = {f"PARS_{name.upper()}" for name in Settings.model_fields} | NOT_SETTINGS
    named = set(VARIABLE.findall(page.read_text(encoding="utf-8")))
    assert named - known == set()


@pages
def test_files_are_there(page: Path) -> None:
    named = set(FILE.findall(page.read_text(encoding="utf-8")))
    assert {one for one in named if not (PROJECT / one).exists()} - MADE_UP == set()


def anchor_of(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def commands_in(text: str) -> Iterator[Called]:
    """All commands of ours in the blocks of a page, by any of their three names, without comments and quoted values."""
    for block in re.findall(r"```(?:bash)?\n(.*?)```", text, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            said = re.sub(r'"[^"]*"', "", re.split(r"\s#", line)[0])
            found = re.search(
                r"(?:^|\s|/)pars ([a-z][a-z-]*)|python -m (?:training|benchmarks|registry|traffic|loop) ([a-z-]+)", said
            )
            if found:
                yield Called(line, found[1] or found[2], names_in(OPTION, said[found.end() :]))
            elif run := re.search(r"mlflow run \.(.*)", said):
                entry = re.search(r"-e ([a-z-]+)", run[1])
                yield Called(line, entry[1] if entry else "train", names_in(PARAMETER, run[1]))


def names_in(pattern: re.Pattern[str], text: str) -> set[str]:
    """Names of settings as fields have them."""
    return {one.replace("-", "_") for one in pattern.findall(text)}


def test_every_command_stands_in_some_page() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert {one.name for one in COMMANDS if not re.search(rf"\b{one.name}\b", text)} == set()
