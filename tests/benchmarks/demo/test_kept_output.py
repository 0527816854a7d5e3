"""What a command wrote to a screen is kept as a file that can be read."""

from io import BytesIO, StringIO

import pytest
from rich.console import Console

from benchmarks.demo.kept_output import KeptOutput
from terminal.progress import track


def kept(*chunks: bytes) -> str:
    file = BytesIO()
    with KeptOutput(file) as output:
        for chunk in chunks:
            output.write(chunk)
    return file.getvalue().decode()


def test_plain_lines_are_kept_as_they_are() -> None:
    assert kept(b"one\ntw", b"o\n\n  three") == "one\ntwo\n\n  three"


def test_of_a_line_that_was_written_over_the_last_is_kept() -> None:
    assert kept(b"1 of 2\r2 of 2\rdone\nnext\r\n") == "done\nnext\n"


def test_a_bar_leaves_one_line_and_no_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    screen = Console(file=StringIO(), force_terminal=True, width=100)
    steps = iter(range(0, 100, 2))
    list(track(range(5), "score", "prompts", console=screen, clock=lambda: float(next(steps))))
    assert isinstance(screen.file, StringIO)
    lines = [line for line in kept(screen.file.getvalue().encode()).splitlines() if line]
    assert len(lines) == 1
    assert lines[0].startswith("score ━")
    assert "5 of 5 prompts" in lines[0]
