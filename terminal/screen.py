"""Standard error, where progress and log lines go: a screen that somebody watches, or a file that is read later."""

import logging
import os
from collections.abc import Mapping
from functools import cache

from rich.console import Console
from rich.highlighter import NullHighlighter
from rich.logging import RichHandler


@cache
def screen() -> Console:
    """The one console of standard error: bars of which one stands inside another must share it."""
    return Console(stderr=True)


def is_watched(console: Console, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether somebody looks at it who may be shown what moves: a terminal, without `NO_COLOR` and outside of CI."""
    return console.is_interactive and not environment.get("NO_COLOR") and not environment.get("CI")


def log_handler() -> logging.Handler:
    """What writes log lines as they are: above the bars of a screen, one after the other elsewhere."""
    if not is_watched(screen()):
        return logging.StreamHandler()
    return RichHandler(
        console=screen(), show_time=False, show_level=False, show_path=False, highlighter=NullHighlighter()
    )
