"""Steps of a demonstration: each is a command as a user would type it, shown as it runs, and its output is kept."""

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks.demo.kept_output import KeptOutput
from registry.errors import UserError
from terminal.screen import is_watched, screen


class DemoError(UserError, RuntimeError):
    """A step that failed, and where its log is."""


@dataclass(frozen=True)
class Step:
    """One command; its output is shown and kept in `FOLDER/NAME.log`."""

    name: str
    does: str
    command: Sequence[str]


class Stage:
    """Where steps are run one after the other, counted and timed."""

    def __init__(self, folder: Path, num_steps: int) -> None:
        self._folder = folder
        self._num_steps = num_steps
        self._number = 0
        self._started_s = time.monotonic()
        self._console = Console(soft_wrap=True, highlight=False)
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def minutes(self) -> float:
        """Since the first step began."""
        return (time.monotonic() - self._started_s) / 60

    def run(self, steps: Iterable[Step]) -> None:
        """Run some steps.

        Raises:
            DemoError: one of them failed.
        """
        for step in steps:
            self.announce(step.does)
            self._console.print("$ " + " ".join(step.command), markup=False)
            _run(step, self._folder / f"{step.name}.log")

    def announce(self, does: str) -> None:
        """Say that the next step begins."""
        self._number += 1
        title = f"\n[{self._number}/{self._num_steps}, {self.minutes:.1f} min] {does}"
        self._console.print(title, style="bold", markup=False)

    def end(self) -> None:
        """Say how long all of it took."""
        self._console.print(f"\nDone in {self.minutes:.1f} minutes.", style="bold")


def _screen() -> dict[str, str]:
    """What tells rich, in a command whose output passes through here, that there is a screen, and how wide it is."""
    return {"TTY_COMPATIBLE": "1", "COLUMNS": str(screen().width)} if is_watched(screen()) else {}


def _run(step: Step, log_path: Path) -> None:
    """Show a command's output as it comes, progress included, and keep it."""
    command = [str(Path(sys.executable).parent / step.command[0]), *step.command[1:]]
    with (
        log_path.open("wb") as file,
        KeptOutput(file) as log,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **_screen()}
        ) as process,
    ):
        assert process.stdout is not None
        while chunk := process.stdout.read1():  # type: ignore[attr-defined]
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
            log.write(chunk)
    if process.returncode != 0:
        raise DemoError(f"the step '{step.name}' failed with exit code {process.returncode}; its log is {log_path}.")
