"""The requests behind a log's texts, in the form in which a client sends them: chats, and what they asked for."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from registry.request import Conversation, content_text
from registry.request_features import RequestView
from traffic.cells.asked import NOTHING, asked_cell
from traffic.cells.names import whole_characters
from traffic.labelled_prompts import view_in
from traffic.length_log import LengthLogSource
from traffic.rows.row import Row


class Recorded(NamedTuple):
    """A request as a log has it."""

    chat: Conversation | None = None
    """None where the log holds it as a text alone."""
    params: Mapping[str, Any] = {}
    """By the names of the APIs (`traffic/cells/params.py`)."""


def read_recorded(source: LengthLogSource, requests: Collection[RequestView]) -> dict[RequestView, Recorded]:
    """What the log has of these requests; the first row of each counts, and of those with a chat the first such one.

    A second pass over the log: labels are of what a ranker reads, and millions of conversations need not be held for
    some hundred that are sent.

    Raises:
        InvalidInput: as `read_length_log`.
    """
    wanted, texts = set(requests), {request.text for request in requests}
    found: dict[RequestView, Recorded] = {}
    for row in source.reading(with_chats=True).rows():
        view = next((view for view in _views(row) if view in wanted), None) if row.text in texts else None
        if view is not None:
            chat = None if row.messages is None else as_sent(row.messages)
            found[view] = Recorded(chat, found[view].params if view in found else row.params or {})
            wanted -= {view} if chat is not None else set()
        if not wanted:
            break
    return found


def _views(row: Row) -> Iterator[RequestView]:
    """What a ranker may read of it: of a log that says nothing of parameters, they are not known to be none."""
    if row.text is not None:
        cell = asked_cell(row.params)
        yield view_in(row.text, cell or NOTHING)
        if cell is None:
            yield view_in(row.text, None)


def as_sent(messages: Conversation) -> Conversation:
    """The messages with their text as a ranker reads it, so that a server which ranks them reads the same."""
    return [{**one, "content": whole_characters(content_text(one.get("content")))} for one in messages]
