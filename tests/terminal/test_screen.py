"""Log lines are written whole, on a screen and elsewhere."""

import logging
from io import StringIO

import pytest
from rich.console import Console

from terminal import screen


def logged(message: str) -> str:
    """What the handler writes for a message."""
    handler = screen.log_handler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    if isinstance(handler, logging.StreamHandler):
        handler.setStream(screen.screen().file)
    handler.emit(logging.LogRecord("one", logging.INFO, "one.py", 1, message, None, None))
    file = screen.screen().file
    assert isinstance(file, StringIO)
    return file.getvalue()


@pytest.mark.parametrize("is_terminal", [True, False])
def test_no_line_is_broken_or_taken_for_markup(is_terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    console = Console(file=StringIO(), force_terminal=is_terminal, width=20)
    monkeypatch.setattr(screen, "screen", lambda: console)
    message = "a [red] message of more letters than a screen has, /with/a/path/that/must/be/copied"
    assert logged(message) == f"{message}\n"
