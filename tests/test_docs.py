"""What the docs name must be there: pages and headings that they link to, settings, files; commands: tests/docs."""

import re
from pathlib import Path

import pytest

from cli.commands import COMMANDS
from serving.config import Settings
from serving.settings.environment import RETIRED
from tests.servers import PROJECT

PAGES = [
    *(PROJECT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *sorted((PROJECT / "docs").rglob("*.md")),
]
LINK = re.compile(r"\]\((?!https?:|#/)([^)\s]*)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
VARIABLE = re.compile(r"\bPARS_[A-Z_]+[A-Z]\b")
FILE = re.compile(r"`((?:benchmarks|cli|deploy|docs|loop|registry|serving|tests|traffic|training)/[\w./-]+\.\w+)`")
NOT_SETTINGS = {"PARS_SERVICE_HOST", "PARS_PORT"}
"""What Kubernetes injects."""
MADE_UP = {"traffic/adapters/NAME.py", "traffic/_about/bad_rows.csv"}
"""Files that a reader will make."""


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
def test_settings_of_the_server_are_there(page: Path) -> None:
    known = {f"PARS_{name.upper()}" for name in Settings.model_fields} | NOT_SETTINGS | {*RETIRED}
    named = set(VARIABLE.findall(page.read_text(encoding="utf-8")))
    assert named - known == set()


@pages
def test_files_are_there(page: Path) -> None:
    named = set(FILE.findall(page.read_text(encoding="utf-8")))
    assert {one for one in named if not (PROJECT / one).exists()} - MADE_UP == set()


def anchor_of(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_command_stands_in_some_page() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert {one.name for one in COMMANDS if not re.search(rf"\b{one.name}\b", text)} == set()
