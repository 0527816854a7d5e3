"""Progress on a screen: a bar that moves, with the time taken and the time left."""

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from terminal.display import QUICK_S, Work

PAUSE_S = 0.1
PICTURES_A_SECOND = 4
"""Few: what is measured meanwhile shares the processors."""


class Bar:
    """Stays where it took a while, and vanishes where it was quick."""

    def __init__(self, work: Work, console: Console) -> None:
        self._work = work
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[count]}", markup=False),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            refresh_per_second=PICTURES_A_SECOND,
        )
        self._task = self._bars.add_task(work.title, total=work.total, count="")

    def show(self, done: int, taken_s: float) -> float:  # noqa: ARG002  # the bar has a clock of its own
        """Move the bar."""
        self._bars.update(self._task, completed=done, count=self._work.count(done))
        self._bars.start()
        return PAUSE_S

    def end(self, done: int, taken_s: float) -> None:
        """Leave the bar as it is, or none."""
        self.show(done, taken_s)
        self._bars.live.transient = taken_s < QUICK_S
        self._bars.stop()
