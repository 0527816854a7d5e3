"""The chats behind a log's texts, in the form in which a client sends them."""

from collections.abc import Collection

from registry.request import Conversation, content_text
from traffic.cells.names import whole_characters
from traffic.length_log import LengthLogSource


def read_chats(source: LengthLogSource, texts: Collection[str]) -> dict[str, Conversation]:
    """The chat messages of those of the texts that the log holds as a chat; the first row of each counts.

    A second pass over the log: labels are of texts alone, and millions of conversations need not be held for some
    hundred that are sent.

    Raises:
        InvalidInput: as `read_length_log`.
    """
    wanted = set(texts)
    found: dict[str, Conversation] = {}
    for row in source.reading(with_chats=True).rows():
        if row.text in wanted and row.messages is not None:
            found[row.text] = as_sent(row.messages)
            wanted.remove(row.text)
        if not wanted:
            break
    return found


def as_sent(messages: Conversation) -> Conversation:
    """The messages with their text as a ranker reads it, so that a server which ranks them reads the same."""
    return [{**one, "content": whole_characters(content_text(one.get("content")))} for one in messages]
