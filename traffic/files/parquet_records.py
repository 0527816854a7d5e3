"""Records of parquet, a batch of rows at a time."""

import shutil
from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from traffic.files.csv_records import require_unique
from traffic.files.log_files import LogFile, readable
from traffic.rows.record import Record

BATCH_ROWS = 4096
AS_NEEDED = {"pre_buffer": False, "buffer_size": 1 << 16}
"""Otherwise the columns of whole row groups are fetched beforehand, of a file of one group all of it."""


class Block(NamedTuple):
    """Consecutive records of a file, as columns."""

    batch: pa.RecordBatch
    before: int
    """Records of the file before them."""
    file: str | None

    def __len__(self) -> int:
        return len(self.batch)

    def column(self, name: str | None) -> pa.Array:
        """A column; nulls where there is none of this name."""
        return self.batch.column(name) if name in self.batch.schema.names else pa.nulls(len(self.batch))

    def records(self, places: npt.NDArray[np.int64] | None = None) -> Iterator[Record]:
        """Those at some places of the block, or all."""
        batch = self.batch if places is None else self.batch.take(pa.array(places))
        numbers = range(len(self)) if places is None else places.tolist()
        for number, values in zip(numbers, batch.to_pylist(), strict=True):
            yield Record(values, self.before + number + 1, self.file)


def parquet_blocks(file: LogFile, wanted: Collection[str] | None, rows: int = BATCH_ROWS) -> Generator[Block]:
    """All records, with the wanted columns that are there or that the file has by its folders, or with all.

    Raises:
        InvalidInput: it is no parquet file, or two of its columns share a name.
    """
    before = 0
    with _parquet(file) as parquet:
        names = parquet.schema_arrow.names
        require_unique(file, names)
        columns = None if wanted is None else [name for name in names if name in wanted]
        added = {
            name: value
            for name, value in file.partition.items()
            if name not in names and (wanted is None or name in wanted)
        }
        for batch in parquet.iter_batches(rows, columns=columns):
            yield Block(_with(batch, added), before, file.name)
            before += len(batch)


def parquet_records(file: LogFile, wanted: Collection[str] | None, rows: int = BATCH_ROWS) -> Generator[Record]:
    """The same, one at a time.

    Raises:
        InvalidInput: it is no parquet file, or two of its columns share a name.
    """
    for block in parquet_blocks(file, wanted, rows):
        yield from block.records()


def _with(batch: pa.RecordBatch, constants: dict[str, str | None]) -> pa.RecordBatch:
    if not constants:
        return batch
    added = {name: pa.repeat(pa.scalar(value, pa.string()), len(batch)) for name, value in constants.items()}
    return pa.RecordBatch.from_pydict(dict(zip(batch.schema.names, batch.columns, strict=True)) | added)


@contextmanager
def _parquet(file: LogFile) -> Iterator[pq.ParquetFile]:
    if file.compression is None:
        with readable(file.path, "parquet"), pq.ParquetFile(file.path, **AS_NEEDED) as parquet:
            yield parquet
        return
    with file.open() as stream, TemporaryFile() as whole:  # parquet is read from its end
        shutil.copyfileobj(stream, whole)
        with pq.ParquetFile(whole, **AS_NEEDED) as parquet:
            yield parquet
