"""Progress in a file or a pipe: whole lines, and few of them."""

from rich.console import Console

from terminal.display import QUICK_S, Work

PAUSE_S = 10.0
"""Between two lines at least."""
PAUSE_SHARE = 0.1
"""Of the time so far: hours leave dozens of lines, not thousands."""


class Lines:
    """One at the beginning, one every ten seconds and later less often, one at the end."""

    def __init__(self, work: Work, console: Console) -> None:
        self._work = work
        self._console = console

    def show(self, done: int, taken_s: float) -> float:
        """Write a line, unless the last one is next."""
        if done != self._work.total:
            self._write(self._work.count(done) + (f", {taken_s:.0f} s" if taken_s >= QUICK_S else ""))
        return max(PAUSE_S, PAUSE_SHARE * taken_s)

    def end(self, done: int, taken_s: float) -> None:
        """Write the last line."""
        if taken_s >= QUICK_S:
            self._write(f"{self._work.count(done)} in {taken_s:.0f} s")

    def _write(self, text: str) -> None:
        self._console.print(f"{self._work.title}: {text}", markup=False, highlight=False, soft_wrap=True)
