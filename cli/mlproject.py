"""MLproject from the table of commands and the settings' docstrings: `make mlproject`, checked by `make check`.

`mlflow run` passes what was given with -P to the command as --NAME VALUE, so that no setting has to be declared here;
a declared one would be passed on with its default, and so come before the file that -P config=FILE names.
"""

import sys
import textwrap
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

import docstring_parser

from cli.commands import COMMANDS, Command

FILE = Path("MLproject")
WIDTH = 120
HEAD = """\
# Made by `make mlproject` from cli/commands.py and the dataclasses of the settings: change those instead.
#
# mlflow run . [-e ENTRY_POINT] --env-manager local -P NAME=VALUE ...     also in a YAML file: -P config=FILE
# Several values of one setting are separated by commas. Relative paths are seen from the project's folder.
name: pars

python_env: python_env.yaml

entry_points:
"""


def mlproject() -> str:
    """The text of MLproject."""
    known = [one for one in COMMANDS if one.is_entry_point]
    return HEAD + "\n".join("\n".join(_entry_point(one)) + "\n" for one in known)


def _entry_point(command: Command) -> Iterator[str]:
    yield from _commented(command.help.replace("\n\n", " "), "  # ", "  # ")
    settings = command.load_settings()
    meanings = setting_docstrings(settings)
    yield f"  {command.entry_point}:"
    for one in fields(settings):
        yield from _commented(f"{_given(one)}: {meanings.get(one.name, '')}", "    # ", "    #     ")
    yield f"    command: python -m {command.room} {command.name}"
    if command.former_name:
        yield f"  {command.former_name}: # until the next version"
        yield f"    command: python -m {command.room} {command.former_name}"


def setting_docstrings(settings: type[Any]) -> dict[str, str]:
    """The docstring below each field of a dataclass and of those that it comes from, on one line."""
    return {
        one.arg_name: " ".join((one.description or "").split())
        for base in reversed(settings.__mro__[:-1])
        for one in docstring_parser.parse_from_object(base).params
    }


def _given(field: Field[Any]) -> str:
    if field.default is MISSING:
        return f"{field.name} (required)"
    value = ",".join(map(str, field.default)) if isinstance(field.default, tuple) else field.default
    return field.name if value in (None, "") else f"{field.name}={value}"


def _commented(text: str, first: str, then: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=then, break_on_hyphens=False)


def main() -> None:
    """Write MLproject, or with --check say whether it is what would be written."""
    if "--check" not in sys.argv[1:]:
        FILE.write_text(mlproject(), encoding="utf-8")
    elif FILE.read_text(encoding="utf-8") != mlproject():
        sys.exit("Error: MLproject must say what the settings say, but does not; run `make mlproject`.")


if __name__ == "__main__":
    main()
