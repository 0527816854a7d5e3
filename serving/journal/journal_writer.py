"""The threads of the journal: one makes rows of served requests and appends them, one looks after the files.

The event loop only puts a request into a bounded queue, and wakes nobody: the writer looks every fifth of a second, so
what was written is never older than that, however the process ends. What does not fit is dropped and counted.
"""

import json
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, wait
from errno import EDQUOT, ENOSPC
from threading import Event, Thread
from time import monotonic

from serving.journal.files.journal_folder import JournalFolder
from serving.journal.files.segment import Segment
from serving.journal.journal_rows import RowMaker
from serving.journal.served_request import ServedRequest
from serving.metrics import JOURNAL_DROPPED, JOURNAL_ROWS
from serving.threads import DaemonThreads

logger = logging.getLogger(__name__)

LOOK_S = 0.2
NOTE_S = 1.0
"""How often it is noted what runs, of what has run for as long: more often than that nothing runs unnoticed."""
SYNC_S = 5.0
"""What a power cut may take with it; the death of the process takes nothing that was appended."""
SETTLE_S = 900.0
RETRY_S = 5.0
"""After a failure of the disk, so long nothing is tried."""
MOST_WAITING = 10_000
MOST_WAITING_CHARACTERS = 1 << 26
CLOSE_LIMIT_S = 3.0
DROPPED = ("full", "unwritable", "unreadable", "torn")
"""Why the journal may not have a row."""


class JournalWriter:
    """Takes served requests from one event loop and writes them down."""

    def __init__(
        self, folder: JournalFolder, make_rows: Callable[[], RowMaker], running: Mapping[ServedRequest, object]
    ) -> None:
        """`make_rows` is called in the thread, once the folder is there, which holds the key; `running` is watched."""
        self._folder = folder
        self._make_rows = make_rows
        self._running = running
        self._maker: RowMaker | None = None
        self._waiting: deque[ServedRequest] = deque()
        self._put_characters = self._taken_characters = 0  # each is changed by one thread only
        self._segment: Segment | None = None
        self._noted: set[ServedRequest] = set()
        """Those that run and stand in the notes beside this segment."""
        self._seen: set[ServedRequest] = set()
        """Those that ran at the last look at them."""
        self._unsynced = False
        self._is_failing = False
        self._unreadable: set[str] = set()
        self._retry_at_s = self._sync_at_s = self._settle_at_s = self._note_at_s = 0.0
        for reason in DROPPED:  # what has not happened yet is 0 on the page, and not missing
            JOURNAL_DROPPED.labels(reason)
        self._files = DaemonThreads(1, "journal-files")
        self._settling: Future[None] | None = None
        self._is_closing = Event()
        self._thread = Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    def put(self, served: ServedRequest) -> None:
        """Have a request written that is over; in the event loop."""
        characters = served.request.size.characters or 0
        waiting_characters = self._put_characters - self._taken_characters + characters
        if len(self._waiting) >= MOST_WAITING or waiting_characters > MOST_WAITING_CHARACTERS:
            JOURNAL_DROPPED.labels("full").inc()
            return
        self._put_characters += characters
        self._waiting.append(served)

    def close(self) -> None:
        """Write what waits and end; a disk that hangs is left behind."""
        self._is_closing.set()
        self._thread.join(CLOSE_LIMIT_S)

    def _work(self) -> None:
        while not self._is_closing.wait(LOOK_S):
            self._look()
        self._look()
        self._let_go()
        if self._settling is not None:
            wait([self._settling], CLOSE_LIMIT_S)
        self._files.close()

    def _look(self) -> None:
        try:
            self._write(self._taken())
            self._look_after_files()
        except Exception as error:  # whatever it is: the server goes on, and so does its journal
            self._fail(error)

    def _taken(self) -> list[ServedRequest]:
        taken = [self._waiting.popleft() for _ in range(len(self._waiting))]
        self._taken_characters += sum(served.request.size.characters or 0 for served in taken)
        return taken

    def _write(self, taken: list[ServedRequest]) -> None:
        if monotonic() < self._retry_at_s:
            JOURNAL_DROPPED.labels("unwritable").inc(len(taken))
            return
        try:
            self._begin()
            assert self._segment is not None
            lines = list(self._lines(taken))
            self._segment.append(b"".join(lines))
            self._note_running()
        except OSError as error:
            JOURNAL_DROPPED.labels("unwritable").inc(len(taken))
            self._fail(error)
            return
        if lines:
            self._is_failing, self._unsynced = False, True
        JOURNAL_ROWS.inc(len(lines))

    def _begin(self) -> None:
        """See to it that there is a segment to append to, and a key."""
        if self._segment is not None:
            return
        self._folder.make()
        self._maker = self._maker or self._make_rows()
        self._segment = Segment(self._folder.path)
        self._noted.clear()

    def _note_running(self) -> None:
        """Have those noted that have run since the last look at them, so for a second at least."""
        if monotonic() < self._note_at_s:
            return
        self._note_at_s = monotonic() + NOTE_S
        running = {one for one in list(self._running) if one.call.is_generation}
        lines = list(self._lines(running & self._seen - self._noted))
        if lines:
            assert self._segment is not None
            self._segment.note_running(b"".join(lines))
        self._noted = running & (self._noted | self._seen)
        self._seen = running

    def _lines(self, taken: Iterable[ServedRequest]) -> Iterable[bytes]:
        assert self._maker is not None
        for served in taken:
            try:
                rows = list(self._maker.rows(served))
                yield from (json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)
            except Exception as error:  # whatever it is over: the other rows are written
                JOURNAL_DROPPED.labels("unreadable").inc()
                self._tell_unreadable(type(error).__name__)

    def _tell_unreadable(self, error: str) -> None:
        """Once for each kind of error; its own words could quote the prompt."""
        if error not in self._unreadable:
            self._unreadable.add(error)
            logger.warning("No row of the journal could be made of a request (%s); such requests are counted.", error)

    def _look_after_files(self) -> None:
        now_s, is_busy = monotonic(), self._settling is not None and not self._settling.done()
        if self._segment is None:
            return
        if self._folder.is_due(self._segment):  # whatever the disk is at: others may wait for it
            self._let_go()
        elif not is_busy and now_s >= self._settle_at_s:
            self._settle()
        elif not is_busy and self._unsynced and now_s >= self._sync_at_s:
            self._unsynced, self._sync_at_s = False, now_s + SYNC_S
            self._settling = self._files.submit(self._segment.sync)

    def _let_go(self) -> None:
        """Append no more to the segment; it becomes parquet."""
        if self._segment is not None:
            self._segment.close()
            self._segment = None
            self._settle()

    def _settle(self) -> None:
        self._settle_at_s = monotonic() + SETTLE_S
        self._settling = self._files.submit(self._settled)

    def _settled(self) -> None:
        try:
            self._folder.settle()
        except Exception as error:  # an erasure that takes long, a full disk: what is not rolled stays a segment
            logger.warning("The journal's files are left as they are for now: %s", error)

    def _fail(self, error: Exception) -> None:
        if not self._is_failing:
            logger.warning("The journal %s cannot be written, so nothing is noted now: %s", self._folder.path, error)
        self._is_failing, self._retry_at_s = True, monotonic() + RETRY_S
        if self._segment is not None and not _is_full(error):  # else it may be of no use any more
            self._let_go()


def _is_full(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in (ENOSPC, EDQUOT)
