"""The parts of a rendered chat, told by the marks of its roles, so that a log of texts alone is read alike. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

BREAK = "\n\n"
"""Between the turns of a rendered chat (`registry.request.render_messages`)."""
SYSTEM_MARKS = ("system: ", "developer: ")
USER_MARK = "user: "
OTHER_MARKS = ("assistant: ", "tool: ", "function: ")
MARKS = (*SYSTEM_MARKS, USER_MARK, *OTHER_MARKS)


class Parts(NamedTuple):
    """A text cut up, in the order in which it is read; joined, all but the tools are the text."""

    tools: str = ""
    """What the request may call (`registry.window.tool_text`), which stands beside its text."""
    system: str = ""
    """The system prompt: the turns at the beginning."""
    before: str = ""
    """The turns between that and the last user message."""
    asked: str = ""
    """The last user message; all of a text that is no chat."""
    after: str = ""
    """The turns behind that: what tools answered to an agent."""


def parts_of(text: str, tools: str = "") -> Parts:
    """The parts of a text; one that begins with no role is one part.

    A message may hold such a mark itself. Then it is cut there, live and from a log alike.
    """
    if not text.startswith(MARKS):
        return Parts(tools, asked=text)
    system_end = _first(text, (USER_MARK, *OTHER_MARKS), 0) if text.startswith(SYSTEM_MARKS) else 0
    start = _last_user(text, system_end)
    if start is None:
        return Parts(tools, text[:system_end], after=text[system_end:])
    end = _first(text, MARKS, start)
    return Parts(tools, text[:system_end], text[system_end:start], text[start:end], text[end:])


def _first(text: str, marks: Iterable[str], start: int) -> int:
    """Where the first turn behind a place begins that has one of these marks; the text's end if none has."""
    found = (text.find(BREAK + mark, start) for mark in marks)
    return min((place + len(BREAK) for place in found if place >= 0), default=len(text))


def _last_user(text: str, start: int) -> int | None:
    place = text.rfind(BREAK + USER_MARK, max(0, start - len(BREAK)))
    if place >= 0:
        return place + len(BREAK)
    return start if text.startswith(USER_MARK, start) else None
