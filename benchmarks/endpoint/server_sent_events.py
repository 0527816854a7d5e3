"""The data of server-sent events, in every form that the standard allows (WHATWG HTML, 9.2.6). Pure.

The decoders that can be installed belong to one HTTP client each, split lines where Unicode would, or want whole lines.
"""

import codecs
import io
from collections.abc import Iterator


class EventDecoder:
    """Takes an answer's bytes as they come, cut anywhere, and gives the data of each event once it is complete."""

    def __init__(self) -> None:
        text = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._lines = io.IncrementalNewlineDecoder(text, translate=True)  # CR, LF and CRLF, also across two chunks
        self._rest = ""
        self._data: list[str] = []

    def decode(self, chunk: bytes, is_last: bool = False) -> Iterator[str]:
        """The events that this chunk completes. The last chunk also completes one that no blank line has ended."""
        self._rest += self._lines.decode(chunk, is_last)
        *lines, self._rest = self._rest.split("\n")
        for line in [*lines, self._rest, ""] if is_last else lines:
            yield from self._take(line)

    def _take(self, line: str) -> Iterator[str]:
        name, _, value = line.partition(":")
        if name == "data":
            self._data.append(value.removeprefix(" "))
        if not line and self._data:
            yield "\n".join(self._data)
            self._data.clear()
