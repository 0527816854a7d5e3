"""The two locks of a retraining: a file beside the journal, and the lease in the registry, which is what counts.

The file's lock ends with its process and is asked first: a second start on the same machine is told so at once. It says
nothing of other machines, where the journal may be another folder; the lease does.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from loop.retraining.config import RetrainConfig
from loop.retraining.exclusion.lease import Lease, leased
from loop.retraining.idle import Idle
from serving.journal.keys import KEPT_APART

logger = logging.getLogger(__name__)


@contextmanager
def only_one(name: str, config: RetrainConfig) -> Iterator[Lease]:
    """In the block this is the only retraining of the registered model.

    Raises:
        Idle: another one runs.
    """
    with _beside_journal(name, config.journal), leased(name, config.target_llm, config.lease_s) as lease:
        yield lease


@contextmanager
def _beside_journal(name: str, journal: Path | None) -> Iterator[None]:
    lock = None if journal is None else _locked(journal / KEPT_APART / f"{name}.retraining", name)
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


def _locked(path: Path, name: str) -> FileLock | None:
    lock = FileLock(path, timeout=0, mode=0o600)
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise Idle(f"Nothing to do: {name} is being retrained already, by another process of this machine.") from None
    except OSError as error:  # a journal may be there for reading alone
        logger.info("no lock beside the journal (%s); the lease in the registry keeps others out", error.strerror)
        return None
    return lock
