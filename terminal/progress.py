"""Progress of what takes a while: a bar where somebody watches, and elsewhere a line now and then.

What has a known end is announced when it begins; what has none, once it has taken a second.
"""

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import Protocol, TypeVar

from rich.console import Console

from terminal.bar import Bar
from terminal.display import QUICK_S, Display, Work
from terminal.plain_lines import Lines
from terminal.screen import is_watched, screen

T = TypeVar("T")


class Advance(Protocol):
    """Says that so many more are done."""

    def __call__(self, steps: int = 1) -> None:
        """One more, unless said otherwise."""


@contextmanager
def progress(
    title: str,
    unit: str,
    total: int | None = None,
    done: int = 0,
    console: Console | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Advance]:
    """Show how far the block has come, which says so by calling what it is given.

    Args:
        title: what is being done.
        unit: of what there are many; a plural.
        total: how many there are, if that is known.
        done: how many of them were done before.
        console: where it is shown; on standard error unless given.
        clock: seconds.
    """
    shown_on = console or screen()
    work = Work(title, unit, total)
    counter = _Counter(Bar(work, shown_on) if is_watched(shown_on) else Lines(work, shown_on), done, clock)
    if total is not None:
        counter.show()
    try:
        yield counter.advance
    finally:
        counter.end()


def track(
    items: Iterable[T],
    title: str,
    unit: str,
    total: int | None = None,
    console: Console | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Generator[T]:
    """The same items, one after the other, while it is shown how many of them are done."""
    known = len(items) if total is None and isinstance(items, Sized) else total
    with progress(title, unit, known, console=console, clock=clock) as advance:
        for one in items:
            yield one
            advance()


class _Counter:
    """Counts what is done, and shows it no more often than its display wants: some count millions of rows."""

    def __init__(self, display: Display, done: int, clock: Callable[[], float]) -> None:
        self._display = display
        self._done = done
        self._clock = clock
        self._begun_s = clock()
        self._next_s = self._begun_s + QUICK_S
        self._is_shown = False

    def advance(self, steps: int = 1) -> None:
        self._done += steps
        if self._clock() >= self._next_s:
            self.show()

    def show(self) -> None:
        now_s = self._clock()
        self._is_shown = True
        self._next_s = now_s + self._display.show(self._done, now_s - self._begun_s)

    def end(self) -> None:
        if self._is_shown:
            self._display.end(self._done, self._clock() - self._begun_s)
