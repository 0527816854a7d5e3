"""A file of JSON Lines that is only ever added to: a line is written at once, whole, and soon lies on the disk."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class KeptLines:
    """One such file. What is written outlives this process at once, and the machine after the next `sync`."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._is_torn = False
        self._is_safe = True

    def write(self, values: Mapping[str, Any]) -> None:
        """Add a line.

        Raises:
            OSError: it could not be written whole; nor is any line after it, which would stand in the torn one.
        """
        if self._is_torn:
            raise OSError("a line before could not be written whole")
        line = json.dumps(values, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        self._is_torn = True
        if os.write(self._file, line) < len(line):
            raise OSError("a line could only be written in part: is the disk full?")
        self._is_torn = self._is_safe = False

    def sync(self) -> None:
        """Bring all lines to the disk."""
        if not self._is_safe:
            self._is_safe = True
            os.fsync(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sync()
        os.close(self._file)
