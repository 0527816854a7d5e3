"""Progress is a bar where somebody watches, and few whole lines elsewhere."""

from io import StringIO

import pytest
from rich.console import Console

from terminal.progress import progress, track
from terminal.screen import is_watched


class Clock:
    """Says whatever time it was set to."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def pipe() -> Console:
    return Console(file=StringIO(), force_terminal=False)


def terminal() -> Console:
    return Console(file=StringIO(), force_terminal=True, width=100)


def written(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.fixture(autouse=True)
def _nobody_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)


def test_pipe_gets_a_line_at_the_start_few_on_the_way_and_one_at_the_end() -> None:
    console, clock = pipe(), Clock()
    for _ in track(range(1000), "score", "prompts", console=console, clock=clock):
        clock.now_s += 2**-5
    assert written(console).splitlines() == [
        "score: 0 of 1,000 prompts",
        "score: 320 of 1,000 prompts, 10 s",
        "score: 640 of 1,000 prompts, 20 s",
        "score: 960 of 1,000 prompts, 30 s",
        "score: 1,000 of 1,000 prompts in 31 s",
    ]


def test_hours_leave_dozens_of_lines() -> None:
    console, clock = pipe(), Clock()
    for _ in track(range(36_000), "train", "batches", console=console, clock=clock):
        clock.now_s += 1
    assert 50 < len(written(console).splitlines()) < 100


def test_what_is_quick_is_announced_and_its_end_is_not() -> None:
    console, clock = pipe(), Clock()
    assert list(track([1, 2], "count", "things", console=console, clock=clock)) == [1, 2]
    assert written(console) == "count: 0 of 2 things\n"


def test_what_has_no_known_end_is_silent_for_a_second() -> None:
    console, clock = pipe(), Clock()
    for number in track(iter(range(2000)), "read", "rows", console=console, clock=clock):
        assert bool(written(console)) == (number >= 1024)
        clock.now_s += 2**-10
    assert written(console).splitlines() == ["read: 1,024 rows, 1 s", "read: 2,000 rows in 2 s"]


def test_what_was_given_up_says_how_far_it_came() -> None:
    console, clock = pipe(), Clock()
    batches = track(range(10), "train", "batches", console=console, clock=clock)
    for _ in range(4):
        next(batches)
        clock.now_s += 1
    batches.close()
    assert written(console).splitlines()[-1] == "train: 3 of 10 batches in 4 s"


def test_what_was_done_before_counts() -> None:
    console, clock = pipe(), Clock()
    with progress("collect", "answers", 10, done=7, console=console, clock=clock) as advance:
        clock.now_s += 2
        advance(3)
    assert written(console).splitlines() == ["collect: 7 of 10 answers", "collect: 10 of 10 answers in 2 s"]


def test_pipe_gets_no_carriage_return_and_no_escape() -> None:
    console, clock = pipe(), Clock()
    for _ in track(range(50), "a [red]title", "things", console=console, clock=clock):
        clock.now_s += 1
    assert "\r" not in written(console)
    assert "\x1b" not in written(console)
    assert "a [red]title: 50 of 50 things in 50 s" in written(console)


def test_terminal_gets_a_bar_that_stays() -> None:
    console, clock = terminal(), Clock()
    for _ in track(range(1000), "score [all]", "prompts", console=console, clock=clock):
        clock.now_s += 0.01
    last = written(console).rpartition("score [all]")[2]
    assert "━" in last
    assert "1,000 of 1,000 prompts" in last


def test_terminal_loses_the_bar_of_what_was_quick() -> None:
    console, clock = terminal(), Clock()
    list(track(range(10), "score", "prompts", console=console, clock=clock))
    assert "\x1b[1A\x1b[2K" in written(console).rpartition("━")[2]


def test_bars_stand_inside_each_other() -> None:
    console, clock = terminal(), Clock()
    for _ in track(range(2), "outer", "pairs", console=console, clock=clock):
        for _ in track(range(2), "inner", "prompts", console=console, clock=clock):
            clock.now_s += 2
    last = written(console).rpartition("outer")[2]
    assert "2 of 2 pairs" in last
    assert written(console).count("2 of 2 prompts") >= 2


@pytest.mark.parametrize("name", ["CI", "NO_COLOR"])
def test_terminal_that_wants_no_bars_gets_lines(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1")
    console, clock = terminal(), Clock()
    for _ in track(range(2), "score", "prompts", console=console, clock=clock):
        clock.now_s += 1
    assert written(console).splitlines() == ["score: 0 of 2 prompts", "score: 2 of 2 prompts in 2 s"]


def test_dumb_terminal_is_not_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_watched(terminal())
    monkeypatch.setenv("TERM", "dumb")
    assert not is_watched(terminal())
