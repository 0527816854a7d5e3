"""A folder that is there whole or not at all: written beside its place, under a hidden name, and then renamed."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from registry.errors import InvalidInput


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A folder to write into, which becomes this one if nothing is raised; else it is deleted.

    What a killed process left under the hidden name is no log to any reader, and is deleted by the next.

    Raises:
        InvalidInput: there is something already, or another process writes it just now.
    """
    _require_empty(folder)
    folder = folder.absolute()
    unfinished = folder.parent / f".{folder.name}.unfinished"
    unfinished.mkdir(parents=True, exist_ok=True)
    with _held(unfinished, folder):
        _clear(unfinished)
        try:
            yield unfinished
            unfinished.rename(folder)  # over an empty folder too
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise


def _require_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        kind = "holds files" if folder.is_dir() else "is a file"
        raise InvalidInput(
            f"out must be a folder that is new or empty, but {folder} {kind} already; delete it, or choose another."
        )


@contextmanager
def _held(unfinished: Path, folder: Path) -> Iterator[None]:
    """The folder locked, for as long as this process lives."""
    descriptor = os.open(unfinished, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise InvalidInput(f"out must be written by one process, but another writes {folder} just now.") from error
    finally:
        os.close(descriptor)


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
