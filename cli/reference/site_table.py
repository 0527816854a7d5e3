"""Tables in Markdown. Pure."""

from collections.abc import Iterable, Sequence
from html import escape


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown themselves."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(_on_one_line, cells))} |\n" for cells in lines)


def code(text: object) -> str:
    """Something as it is typed; nothing of it is Markdown, and nothing is shown where there is nothing."""
    shown = escape(str(text), quote=False).replace("|", "&#124;")
    return f"<code>{shown}</code>" if shown else ""


def _on_one_line(cell: str) -> str:
    return " ".join(cell.split())
