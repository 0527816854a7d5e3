"""The last ranker that was served here, on disk: what a server starts with while MLflow is unreachable.

Downloads go there too, and nothing stays of those that fail. Several processes may share the folder.
"""

import logging
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from filelock import FileLock

from registry import store

logger = logging.getLogger(__name__)

LAST = "last"
"""The file that names the folder of the last ranker. It is replaced in one step, once that folder is whole."""
LOCK = "lock"
"""Held for a moment by whoever changes a target LLM's folder, and throughout by whoever downloads into a new one."""
DOWNLOAD = "download-"
"""How the name of a folder begins that is not whole yet."""
LOCK_LIMIT_S = 5.0


class RankerCopies:
    """One ranker for each target LLM, in `<folder>/pars-<target slug>/`. All methods may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._is_writable = True

    @contextmanager
    def fresh_folder(self, target_llm: str) -> Iterator[Path]:
        """An empty folder for a download, which is gone after the block unless it was kept.

        It lies in the cache, or while that cannot be written in a private folder elsewhere.

        Raises:
            OSError: there is no such folder either.
        """
        with ExitStack() as stack:
            try:
                folder = self._begin_download(target_llm, stack)
                self._is_writable = True
            except OSError as error:
                self._warn(error)
                folder = Path(stack.enter_context(TemporaryDirectory(prefix="pars-", ignore_cleanup_errors=True)))
            yield folder

    def keep(self, target_llm: str, version: int, folder: Path) -> None:
        """Put a fresh folder in place of the last ranker. If the disk can't be written, serving goes on."""
        home = self._home(target_llm)
        if folder.parent != home:  # it is elsewhere, because the cache cannot be written
            return
        kept = home / folder.name.replace(DOWNLOAD, f"{version}-", 1)
        try:
            with _lock(home):
                beside = home / f"{LAST}.new"
                beside.write_text(kept.name, encoding="utf-8")
                folder.rename(kept)
                (kept / LOCK).unlink()
                beside.replace(home / LAST)
                _sweep(home, kept.name)
        except OSError as error:
            self._warn(error)

    @contextmanager
    def last(self, target_llm: str) -> Iterator[tuple[int, Path] | None]:
        """Version and folder of the last ranker that was served, which stays there during the block; None without one.

        Loading it checks it.
        """
        home = self._home(target_llm)
        with ExitStack() as stack:
            if home.is_dir():  # else there is nothing to hold, and the lock would make it
                with suppress(OSError):  # a folder that cannot be written can be read nevertheless
                    stack.enter_context(_lock(home))
            yield _find(home)

    def _begin_download(self, target_llm: str, stack: ExitStack) -> Path:
        home = self._home(target_llm)
        home.mkdir(parents=True, exist_ok=True)
        with _lock(home):
            _sweep(home, _name_of_last(home))
            folder = Path(mkdtemp(prefix=DOWNLOAD, dir=home))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            stack.enter_context(_lock(folder))
        return folder

    def _warn(self, error: OSError) -> None:
        if self._is_writable:
            logger.warning("No ranker is cached, since %s cannot be written: %s", self.folder, error)
        self._is_writable = False

    def _home(self, target_llm: str) -> Path:
        return self.folder / store.model_name(target_llm)


def _lock(folder: Path) -> FileLock:
    return FileLock(folder / LOCK, timeout=LOCK_LIMIT_S)


def _sweep(home: Path, last: str | None) -> None:
    """Remove what the last ranker before, and processes that were killed, have left."""
    for path in home.iterdir():
        if path.name in (LAST, LOCK, last) or _is_downloading(path):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _is_downloading(folder: Path) -> bool:
    """Whether a process that lives holds its lock; a lock ends with its process."""
    if not (folder / LOCK).is_file():
        return False
    try:
        with FileLock(folder / LOCK, timeout=0):
            return False
    except OSError:  # it is held, or the folder is going away just now
        return True


def _find(home: Path) -> tuple[int, Path] | None:
    name = _name_of_last(home)
    if name is None:
        return None
    try:
        return int(name.partition("-")[0]), home / name
    except ValueError:
        return None


def _name_of_last(home: Path) -> str | None:
    try:
        return Path((home / LAST).read_text(encoding="utf-8")).name
    except (OSError, UnicodeDecodeError):
        return None
