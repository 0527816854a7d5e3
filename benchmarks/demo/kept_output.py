"""A command's output as a file that is read later: without what moved on the screen."""

import re
from typing import BinaryIO, Self

WRITTEN_OVER = re.compile(rb".*(?:\r|\x1b\[2K)(?=.)")
"""What stood in a line before it was written anew."""
ESCAPE = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\r")


class KeptOutput:
    """Takes chunks of any size, and writes whole lines: of one that was written over and over the last."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._line = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.write(_as_left(self._line))

    def write(self, chunk: bytes) -> None:
        """Take what comes next."""
        *lines, self._line = (self._line + chunk).split(b"\n")
        self._file.writelines(_as_left(line) + b"\n" for line in lines)


def _as_left(line: bytes) -> bytes:
    return ESCAPE.sub(b"", WRITTEN_OVER.sub(b"", line.rstrip(b"\r")))
