"""What lies in the checkout, beside what tools keep for themselves: tests must add nothing to it."""

import os
from pathlib import Path

from tests.servers import PROJECT

OF_TOOLS = {
    *(".git", ".venv", ".pytest_cache", ".hypothesis", "__pycache__", ".ruff_cache", ".mypy_cache"),
    ".import_linter_cache",
}


def files(root: Path = PROJECT) -> set[Path]:
    """Every file, caches left out."""
    found: set[Path] = set()
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in OF_TOOLS and not name.endswith(".egg-info")]
        found |= {Path(folder, name).relative_to(root) for name in names}
    return found
