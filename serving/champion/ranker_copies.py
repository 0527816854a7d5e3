"""The last ranker that was served here, on disk: what a server starts with while MLflow is unreachable."""

import logging
import os
import shutil
import tempfile
from pathlib import Path

from registry import store
from registry.ranker import RANKER_FILES

logger = logging.getLogger(__name__)

LAST = "last"
"""The file that names the folder of the last ranker. It is replaced in one step, once that folder is whole."""


class RankerCopies:
    """One ranker for each target LLM, in `<folder>/pars-<target slug>/`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, target_llm: str, version: int, ranker: Path) -> None:
        """Copy a ranker's folder in place of the one before. If the disk can't be written, serving goes on."""
        home = self._home(target_llm)
        before = self.find(target_llm)
        try:
            home.mkdir(parents=True, exist_ok=True)
            copy = Path(tempfile.mkdtemp(prefix=f"{version}-", dir=home))
            for name in RANKER_FILES:
                shutil.copyfile(ranker / name, copy / name)
            _replace(home / LAST, copy.name)
        except OSError as error:
            logger.warning("The ranker is not cached, since %s cannot be written: %s", home, error)
            return
        if before is not None:
            shutil.rmtree(before[1], ignore_errors=True)

    def find(self, target_llm: str) -> tuple[int, Path] | None:
        """Version and folder of the last ranker that was served; None if there is none. Loading it checks it."""
        home = self._home(target_llm)
        try:
            name = (home / LAST).read_text(encoding="utf-8")
            return int(name.partition("-")[0]), home / Path(name).name
        except (OSError, ValueError):
            return None

    def _home(self, target_llm: str) -> Path:
        return self.folder / store.model_name(target_llm)


def _replace(path: Path, content: str) -> None:
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    beside.write_text(content, encoding="utf-8")
    beside.replace(path)
