"""`make help` names every target that a user may call, and says what each needs or how long it takes."""

import re
import subprocess

from tests.servers import PROJECT

MAKEFILE = (PROJECT / "Makefile").read_text(encoding="utf-8")
AT_ONCE = {"help", "clean"}


def phony() -> set[str]:
    return {name for line in re.findall(r"(?m)^\.PHONY: (.*)", MAKEFILE) for name in line.split()}


def test_help_has_a_line_for_each_target() -> None:
    command = ["make", "--no-print-directory", "help"]  # which a make inside of `make test` says otherwise
    told = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    lines = dict(line.split(maxsplit=1) for line in told.splitlines()[1:])
    assert lines.keys() == phony()
    assert {name for name, does in lines.items() if not re.search(r"\(.+\)", does)} - AT_ONCE == set()


def test_what_is_no_file_is_phony() -> None:
    targets = set(re.findall(r"(?m)^([a-z][a-z-]*):", MAKEFILE))
    assert targets == phony()
