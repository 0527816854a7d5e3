"""The commands, from `cli/commands.py` and the dataclasses of their settings: a table of all, and a page of each."""

from cli.commands import COMMANDS, Command, commands_of
from cli.options import IN_A_FILE
from cli.reference.field_words import dataclass_words
from cli.reference.site_table import code, table

ROOMS = {
    "traffic": "Logs and journals",
    "training": "Making rankers",
    "registry": "Versions and champions",
    "benchmarks": "What ordering brings, and what it costs",
    "loop": "Servers that run",
}
"""In the order in which a reader meets them."""


def commands() -> str:
    """All of them, by what they are for."""
    return "\n".join(f"## {ROOMS[room]}\n\n{table(('command', 'what it does'), _rows(room))}" for room in ROOMS)


def command_pages() -> dict[str, str]:
    """The page of each command, by its name."""
    return {one.name: _page(one) for one in sorted(COMMANDS, key=lambda one: (list(ROOMS).index(one.room), one.name))}


def _rows(room: str) -> list[tuple[str, str]]:
    return [(f"[`pars {one.name}`]({one.name}.md)", one.summary) for one in commands_of() if one.room == room]


def _page(command: Command) -> str:
    names = "\n".join(_names(command))
    rows = ((code(_option(name)), *words) for name, *words in dataclass_words(command.load_settings()))
    options = table(("option", "takes", "unless given", "meaning"), rows)
    return f"# pars {command.name}\n\n{command.help}\n\n```text\n{names}\n```\n\n{_notes(command)}\n\n{options}"


def _names(command: Command) -> list[str]:
    names = [f"pars {command.name} --NAME VALUE", f"python -m {command.room} {command.name} --NAME VALUE"]
    entry = "" if command.entry_point == "main" else f" -e {command.entry_point}"
    mlflow = f"mlflow run .{entry} --env-manager local -P NAME=VALUE"
    return [*names, mlflow] if command.is_entry_point else names


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _notes(command: Command) -> str:
    notes = [IN_A_FILE]
    if command.takes:
        notes.append(f"The name of `--{command.takes}` may be left out where its value comes first.")
    if command.former_name:
        notes.append(f"`{command.former_name}` is its former name, which is still understood.")
    return " ".join(notes)
