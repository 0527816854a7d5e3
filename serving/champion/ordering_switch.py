"""Whether requests are ordered now: a tag of the registered model and a local file switch it without a restart."""

import asyncio
import logging
from collections.abc import Iterable
from pathlib import Path

from registry.store import ORDERING_TAG, model_name
from serving.metrics import ORDERING_ON, ORDERING_SWITCHES
from serving.threads import TimedCalls

logger = logging.getLogger(__name__)

WORDS = {"on": True, "off": False}
FILE_POLL_S = 1.0
READ_LIMIT_S = 5.0
MOST_BYTES = 64
"""More than any word; what is longer is none."""


def state_of(word: str | None) -> bool | None:
    """What a word in a switch's place means: on where nothing stands, None where it is no such word."""
    return True if word is None else WORDS.get(word.strip().lower())


class Switch:
    """One place where ordering is switched. A wrong word there is said once, and leaves it as it is."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.is_on = True
        self._wrong: str | None = None

    def hear(self, word: str | None) -> None:
        """Take what stands in that place now; None (nothing) means on."""
        state = state_of(word)
        if state is None:
            self._object(word or "")
            return
        self.is_on = state
        self._wrong = None

    def _object(self, word: str) -> None:
        if word != self._wrong:
            state = "on" if self.is_on else "off"
            logger.warning("%s must say on or off, but says %r; ordering stays %s.", self.place, word[:20], state)
        self._wrong = word


class OrderingSwitch:
    """Ordering is off for a target LLM if its tag says so, and for all of them if the file does."""

    def __init__(self, target_llms: Iterable[str], file: Path | None = None) -> None:
        """`file` is named in the log; `follow_file` reads it."""
        self._file = Switch(f"the file {file}")
        self._tags = {one: Switch(f"the tag `{ORDERING_TAG}` of {model_name(one)}") for one in target_llms}
        self._was_on = dict.fromkeys(self._tags, True)
        for target_llm in self._tags:
            ORDERING_ON.labels(target_llm).set(1)
            for by in ("file", "tag"):
                ORDERING_SWITCHES.labels(target_llm, by)

    def is_on(self, target_llm: str | None) -> bool:
        """Whether requests to a target LLM (None: to a model without one) are ordered now."""
        return self._file.is_on and (target_llm is None or self._tags[target_llm].is_on)

    def hear_tag(self, target_llm: str, word: str | None) -> None:
        """Take what the tag of a target LLM's registered model says now; None if there is none."""
        self._tags[target_llm].hear(word)
        self._note(target_llm, "tag", self._tags[target_llm].place)

    def hear_file(self, word: str | None) -> None:
        """Take what the file says now; None if there is none."""
        self._file.hear(word)
        for target_llm in self._tags:
            self._note(target_llm, "file", self._file.place)

    def _note(self, target_llm: str, by: str, place: str) -> None:
        is_on = self.is_on(target_llm)
        if is_on == self._was_on[target_llm]:
            return
        self._was_on[target_llm] = is_on
        ORDERING_ON.labels(target_llm).set(is_on)
        ORDERING_SWITCHES.labels(target_llm, by).inc()
        logger.warning("Ordering of %s is switched %s by %s.", target_llm, "on" if is_on else "off", place)


async def follow_file(file: Path, switch: OrderingSwitch, poll_s: float = FILE_POLL_S) -> None:
    """Read the file again and again, until cancelled."""
    calls = TimedCalls("ordering-file")
    while True:
        await look_at_file(file, switch, calls)
        await asyncio.sleep(poll_s)


async def look_at_file(file: Path, switch: OrderingSwitch, calls: TimedCalls) -> None:
    """Read the file once; while it cannot be read, what it said last holds."""
    try:
        word = await calls.call(READ_LIMIT_S, _word_in, file)
    except Exception as error:  # whatever the file system says, and a folder on a network that hangs
        word = f"{type(error).__name__}"
    switch.hear_file(word)


def _word_in(file: Path) -> str | None:
    try:
        with file.open("rb") as content:
            return content.read(MOST_BYTES).decode(errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
