"""What a command prints, as a picture of a terminal: an SVG, so its words can be read, searched and copied."""

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from io import StringIO
from os import environ
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from pictures.stage import NothingToShow

COLUMNS = 132
OUTSIDE_FONT = re.compile(r"@font-face \{\{.*?\}\}\s*", re.DOTALL)
"""Rich's picture asks a CDN for its letters; any monospaced ones do, since each text says how wide it is."""


def terminal(command: Sequence[str], settings: Mapping[str, str]) -> str:
    """Run a command of the project, and draw it with what it prints; the working folder is called `~`.

    Raises:
        NothingToShow: it failed.
    """
    program = str(Path(sys.executable).parent / command[0])
    shown = {**environ, "FORCE_COLOR": "1", "COLUMNS": str(COLUMNS), **settings}
    done = subprocess.run([program, *command[1:]], env=shown, capture_output=True, text=True)
    if done.returncode != 0:
        raise NothingToShow(f"'{' '.join(command)}' must succeed, but ended with: {done.stderr or done.stdout}")
    return drawn(" ".join(command), done.stdout.replace(str(Path.cwd()), "~").rstrip())


def drawn(command: str, printed: str) -> str:
    """A terminal in which a command was typed, and what it has printed."""
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True)
    console.print(Text(f"$ {command}", style="bold"))
    console.print(Text.from_ansi(printed))
    return console.export_svg(title=command, code_format=OUTSIDE_FONT.sub("", CONSOLE_SVG_FORMAT))
