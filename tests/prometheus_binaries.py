"""Where Prometheus and promtool are: Debian's own, which `make` unpacks into .venv, or installed ones."""

import shutil
import sys
from pathlib import Path

import pytest


def binary(name: str) -> str:
    """The path of a binary; without it the test is skipped."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not there: `make .venv/.prometheus` unpacks Debian's, where apt-get reaches it")
    return found
