"""Tables in Markdown. Pure."""

from collections.abc import Iterable, Sequence
from html import escape


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown themselves, in a frame that the style sheet knows."""
    lines = [head, ["---"] * len(head), *rows]
    cells = "".join(f"| {' | '.join(map(_on_one_line, line))} |\n" for line in lines)
    return f'<div class="from-code" markdown>\n\n{cells}\n</div>\n'


def code(text: object) -> str:
    """Something as it is typed; nothing of it is Markdown, and nothing is shown where there is nothing."""
    shown = escape(str(text), quote=False).replace("|", "&#124;")
    return f"<code>{shown}</code>" if shown else ""


def _on_one_line(cell: str) -> str:
    return " ".join(cell.split())
