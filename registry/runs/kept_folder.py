"""A ranker's folder, removed once it is stored in MLflow, and kept where that fails."""

import logging
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from registry.artefact.card import CARD_FILE
from registry.errors import UserError
from registry.runs.mlflow_failures import FAILURES, MlflowFailure, sentence_of

logger = logging.getLogger(__name__)

KEPT = Path("unregistered")


@contextmanager
def kept_unless_stored(name: str) -> Iterator[Path]:
    """A temporary folder for a ranker; if it is whole and the block fails, it is kept in the working folder.

    Raises:
        MlflowFailure: MLflow failed, or refused the ranker; says where it is and which command registers it.
    """
    folder = Path(mkdtemp(prefix=f"{name}-"))
    try:
        yield folder
    except BaseException as error:
        if not (folder / CARD_FILE).is_file():  # the card is written last
            shutil.rmtree(folder)
            raise
        told = _where_it_is(_keep(folder))
        if isinstance(error, (UserError, *FAILURES)):
            reason = str(error) if isinstance(error, UserError) else sentence_of(error)
            raise MlflowFailure(f"{told}; not registered, because {reason}") from error
        logger.error(told)
        raise
    shutil.rmtree(folder)


def _keep(folder: Path) -> Path:
    """Move it out of the temporary folder, which is emptied now and then; where that cannot be it stays."""
    kept = KEPT.absolute() / folder.name
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        return Path(shutil.move(folder, kept))
    except OSError:
        return folder


def _where_it_is(folder: Path) -> str:
    return (
        f"the ranker is trained and lies in {folder}, and `python -m registry register --ranker"
        f" {shlex.quote(str(folder))}` registers it"
    )
