"""Standard error, where progress and log lines go: a screen that somebody watches, or a file that is read later."""

import logging
import os
from collections.abc import Mapping
from functools import cache

from rich.console import Console


@cache
def screen() -> Console:
    """The one console of standard error: bars of which one stands inside another must share it."""
    return Console(stderr=True)


def is_watched(console: Console, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether somebody looks at it who may be shown what moves: a terminal, without `NO_COLOR` and outside of CI."""
    return console.is_interactive and not environment.get("NO_COLOR") and not environment.get("CI")


def log_handler() -> logging.Handler:
    """What writes log lines as they are: above the bars of a screen, one after the other elsewhere."""
    return _ScreenHandler() if is_watched(screen()) else logging.StreamHandler()


class _ScreenHandler(logging.Handler):
    """Breaks no line where the screen ends: the screen does, and a path can be copied whole."""

    def emit(self, record: logging.LogRecord) -> None:
        screen().print(self.format(record), markup=False, highlight=False, soft_wrap=True)
