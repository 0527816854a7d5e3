"""Finds beam search in a body that goes by unread: behind a middleware its steps would jump the queue."""

import re

from fastapi import HTTPException

from serving.http.bodies import Message, Receive
from serving.http.header_routes import NO_BEAM_SEARCH

KEY = "use_beam_search"
LETTERS = "".join(rf"(?:{letter}|(?i:\\u00{ord(letter):02x}))" for letter in KEY)
ASKED_FOR = re.compile(rf'"{LETTERS}":[t1-9"]')
"""The field in JSON without white space, its letters escaped or not; within a string its quotes would be escaped."""
OVERLAP = 100
"""Characters of a message that are looked at again with the next one; the longest form has some more than 90."""
WHITE_SPACE_AND_ZEROS = b" \t\r\n\0"
"""Zeros, since JSON may be UTF-16."""


def refusing_beam_search(receive: Receive) -> Receive:
    """The same messages, until one asks for beam search: then the application's reading ends in a 400."""
    seen = ""

    async def receive_and_look() -> Message:
        nonlocal seen
        message = await receive()
        piece = message.get("body", b"").translate(None, WHITE_SPACE_AND_ZEROS)
        seen = seen[-OVERLAP:] + piece.decode("latin-1")
        if ASKED_FOR.search(seen):
            raise HTTPException(400, NO_BEAM_SEARCH)
        return message

    return receive_and_look
