"""The parquet files of one target LLM: one row group a write, a new file where one is full."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from traffic.rows.rules import MODEL
from traffic.rows.schema import TRAFFIC
from traffic.texts import table_of

IN_FILES = TRAFFIC.remove(TRAFFIC.get_field_index(MODEL))
"""The target LLM is the folder's name."""
FILE_BYTES = 1 << 28
"""Of the columns of a file before they are compressed: where there are more, the next file begins."""


class TargetFiles:
    """Rows of one target LLM: those that wait to be written, and the files of those that were."""

    def __init__(self, folder: Path, file_bytes: int) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self.characters = 0
        self.num_files = 0
        self._folder = folder
        self._file_bytes = file_bytes
        self._writer: pq.ParquetWriter | None = None
        self._written_bytes = 0

    @property
    def is_open(self) -> bool:
        """Whether a file is being written."""
        return self._writer is not None

    def write(self) -> None:
        """Write the rows that wait, as one row group."""
        table = table_of(self.rows, IN_FILES)
        self.rows, self.characters = [], 0
        if self._writer is None:
            self._writer = self._next_file()
        self._writer.write_table(table, row_group_size=len(table))
        self._written_bytes += table.nbytes
        if self._written_bytes >= self._file_bytes:
            self.close()

    def close(self) -> None:
        """End the file; what is written after that goes into the next one."""
        if self._writer is not None:
            self._writer.close()
        self._writer, self._written_bytes = None, 0

    def _next_file(self) -> pq.ParquetWriter:
        self._folder.mkdir(exist_ok=True)
        path = self._folder / f"part-{self.num_files:05}.parquet"
        self.num_files += 1
        return pq.ParquetWriter(path, IN_FILES, compression="zstd")
