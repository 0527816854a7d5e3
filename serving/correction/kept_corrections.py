"""The start of the running correction: what was known before, and a task that shows it and writes it down."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from secrets import token_hex
from time import monotonic
from typing import Any

from serving.config import Settings
from serving.correction.corrections import Corrections
from serving.correction.state_file import STATE_FILE, read_state, state_of, write_state
from serving.journal.keys import KEPT_APART, Keys, find_keys

logger = logging.getLogger(__name__)

FOLDER = "correction"
"""Beside that of the rankers."""
SHOW_S = 5.0
"""How late the metrics page may be."""
SHOWS_PER_WRITE = 12
"""What a SIGKILL takes from the correction: a minute."""


def start_corrections(settings: Settings, stack: AsyncExitStack) -> Corrections:
    """The corrections that the settings ask for; what they know is written down until the stack is left, and then.

    A disk that cannot be written costs only the memory of a restart.
    """
    if not settings.correction:
        return Corrections(None)
    secret = settings.journal_key.get_secret_value() if settings.journal_key is not None else None
    folder = settings.cache.parent / FOLDER
    path = folder / STATE_FILE
    corrections = Corrections(_keys(folder, secret))
    corrections.begin_with(read_state(path, monotonic))
    stack.callback(lambda: _write(path, state_of(corrections.targets)))
    stack.callback(asyncio.create_task(_keep(path, corrections)).cancel)
    return corrections


def _keys(folder: Path, secret: str | None) -> Keys:
    try:
        (folder / KEPT_APART).mkdir(parents=True, exist_ok=True)
        return find_keys(folder, secret)
    except (OSError, ValueError) as error:  # a key of other bytes than ours, too
        logger.warning(
            "The correction will not outlive this server: %s cannot hold its key (%s).", folder, type(error).__name__
        )
        return Keys(token_hex())


async def _keep(path: Path, corrections: Corrections) -> None:
    while True:
        for _ in range(SHOWS_PER_WRITE):
            await asyncio.sleep(SHOW_S)
            corrections.show()
        await asyncio.to_thread(_write, path, state_of(corrections.targets))


def _write(path: Path, state: Mapping[str, Any]) -> None:
    try:
        write_state(path, state)
    except Exception as error:  # whatever it is: the next one is in a minute
        logger.warning("What the correction knows cannot be written to %s (%s).", path, type(error).__name__)
