"""The journal as the choke point before the engine knows it: each request is begun here, and leaves at its end."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Self

from serving.arrival_clock import ArrivalClock
from serving.config import Settings
from serving.journal.files.journal_folder import JournalFolder, Limits
from serving.journal.journal_rows import RowMaker
from serving.journal.journal_writer import JournalWriter
from serving.journal.keys import find_keys
from serving.journal.served_request import EngineCall, ServedRequest
from serving.request_stages import EngineRequest, HttpRequest

FOLDER = "journal"
"""Beside that of the rankers, unless the settings name another."""


class Journal:
    """Notes what was served. All methods belong to one event loop, and none waits for a disk."""

    def __init__(
        self, clock: ArrivalClock, start_writer: Callable[[Mapping[ServedRequest, object]], JournalWriter] | None = None
    ) -> None:
        """Without a writer, which is given what runs to look at, nothing is noted."""
        self._clock = clock
        self._running: dict[ServedRequest, None] = {}
        self._writer = start_writer(self._running) if start_writer is not None else None

    @classmethod
    def start(cls, settings: Settings, clock: ArrivalClock) -> Self:
        """The journal that the settings ask for; `close` ends its threads."""
        if settings.journal == "off":
            return cls(clock)
        path = folder_of(settings)
        secret = settings.journal_key.get_secret_value() if settings.journal_key is not None else None
        keeps_text = settings.journal == "text"
        folder = JournalFolder(path, Limits(settings.journal_max_bytes, settings.journal_max_days))
        models = frozenset({*settings.rankers, *settings.target_llms, settings.llm})
        make_rows = partial(_row_maker, path, secret, keeps_text, models)
        return cls(clock, partial(JournalWriter, folder, make_rows))

    def begin(
        self, http_request: HttpRequest, request: EngineRequest, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> ServedRequest:
        """A request that the engine is to be asked with these arguments; a context that is left at its end."""
        served = ServedRequest(
            http_request, request, call=EngineCall(args, kwargs), clock=self._clock, leave=self._leave
        )
        self._running[served] = None
        return served

    def close(self) -> None:
        """What still runs ends with the server; all of it is written."""
        for served in list(self._running):
            served.end("stopping")
        if self._writer is not None:
            self._writer.close()

    def _leave(self, served: ServedRequest) -> None:
        del self._running[served]
        # Beam search asks the engine at each step, with a limit of one token: no row of it says what was asked for.
        if self._writer is not None and served.call.is_generation and not served.http_request.is_beam_search:
            self._writer.put(served)


def _row_maker(folder: Path, secret: str | None, keeps_text: bool, models: frozenset[str]) -> RowMaker:
    return RowMaker(find_keys(folder, secret), keeps_text, models)


def folder_of(settings: Settings) -> Path:
    """Where the journal of these settings is."""
    return settings.journal_dir or settings.cache.parent / FOLDER
