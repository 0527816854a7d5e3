"""What lies in the checkout, beside what tools keep for themselves: tests, by whatever way, must add nothing to it."""

import os
from pathlib import Path

import pytest

from tests.servers import PROJECT

OF_TOOLS = {
    *(".git", ".venv", ".pytest_cache", ".hypothesis", "__pycache__", ".ruff_cache", ".mypy_cache"),
    ".import_linter_cache",
}
BEFORE = pytest.StashKey[set[Path]]()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Look before the first test. Where two processes share the tests, only what started them looks."""
    if not hasattr(session.config, "workerinput"):
        session.config.stash[BEFORE] = files()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Look once all tests are done."""
    left = sorted(map(str, files() - session.config.stash[BEFORE])) if BEFORE in session.config.stash else []
    if left:
        pytest.exit(f"tests leave nothing in the checkout, but these files are new: {', '.join(left[:20])}", 1)


def files(root: Path = PROJECT) -> set[Path]:
    """Every file, caches left out."""
    found: set[Path] = set()
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in OF_TOOLS and not name.endswith(".egg-info")]
        found |= {Path(folder, name).relative_to(root) for name in names}
    return found
