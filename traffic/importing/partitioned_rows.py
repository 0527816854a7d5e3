"""Rows of traffic into a folder for each target LLM, of which only some wait in memory, whatever the number of rows."""

from pathlib import Path
from types import TracebackType
from typing import Self

from registry.errors import InvalidInput
from traffic.files.partitions import folder_name
from traffic.importing.target_files import FILE_BYTES, TargetFiles
from traffic.rows.row import Row
from traffic.rows.rules import MODEL
from traffic.rows.schema import record_of

WAITING_ROWS, WAITING_CHARACTERS = 1 << 16, 1 << 25
"""What waits at most, of all targets together."""
MOST_TARGETS = 1000
MOST_OPEN = 64
"""Files that are open at a time."""
LONGEST_NAME_BYTES = 255
"""Of a folder, on every file system in use."""


class PartitionedRows:
    """Takes rows; a context, at whose end all of them are written."""

    def __init__(self, folder: Path, file_bytes: int = FILE_BYTES, waiting_rows: int = WAITING_ROWS) -> None:
        self._folder = folder
        self._file_bytes = file_bytes
        self._waiting_rows = waiting_rows
        self._targets: dict[str | None, TargetFiles] = {}
        self._rows = self._characters = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        """Write what waits, unless something went wrong, and close all files."""
        if kind is None:
            self._write_until(0, 0)
        for target in self._targets.values():
            target.close()

    @property
    def num_files(self) -> int:
        """How many were begun."""
        return sum(target.num_files for target in self._targets.values())

    def add(self, row: Row) -> None:
        """Take a row.

        Raises:
            InvalidInput: its target LLM's name is too long for a folder's, or one too many.
        """
        record = record_of(row)
        characters = sum(len(record[name] or "") for name in ("prompt", "messages", "params"))
        target = self._target(record.pop(MODEL))
        target.rows.append(tuple(record.values()))
        target.characters += characters
        self._rows += 1
        self._characters += characters
        if self._rows >= self._waiting_rows or self._characters >= WAITING_CHARACTERS:
            self._write_until(self._waiting_rows // 2, WAITING_CHARACTERS // 2)

    def _write_until(self, rows: int, characters: int) -> None:
        """Write targets until no more than that wait: those with the most rows first, so that row groups are large."""
        for target in sorted(self._targets.values(), key=lambda one: -len(one.rows)):
            if not target.rows or (self._rows <= rows and self._characters <= characters):
                return
            self._rows -= len(target.rows)
            self._characters -= target.characters
            target.write()
            self._close_some()

    def _close_some(self) -> None:
        is_open = [target for target in self._targets.values() if target.is_open]
        if len(is_open) > MOST_OPEN:
            for target in is_open:
                target.close()

    def _target(self, model: str | None) -> TargetFiles:
        if model not in self._targets:
            self._targets[model] = TargetFiles(self._folder / self._folder_name(model), self._file_bytes)
        return self._targets[model]

    def _folder_name(self, model: str | None) -> str:
        name = folder_name(MODEL, model)
        if model is not None and len(name) > LONGEST_NAME_BYTES:
            raise InvalidInput(
                f"a target LLM's name must fit a folder's, but the column {MODEL!r} holds {model[:60]!r}... of"
                f" {len(model)} characters; shorten it."
            )
        if len(self._targets) == MOST_TARGETS:
            raise InvalidInput(
                f"a log must be of {MOST_TARGETS:,} target LLMs at most, but the column {MODEL!r} holds more different"
                " names; is it the column of the target LLM?"
            )
        return name
