"""Records of parquet, a batch of rows at a time."""

import shutil
from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile

import pyarrow.parquet as pq

from traffic.files.csv_records import require_unique
from traffic.files.log_files import LogFile, readable
from traffic.rows.record import Record

BATCH_ROWS = 4096
AS_NEEDED = {"pre_buffer": False, "buffer_size": 1 << 16}
"""Otherwise the columns of whole row groups are fetched beforehand, of a file of one group all of it."""


def parquet_records(file: LogFile, wanted: Collection[str] | None) -> Generator[Record]:
    """A record a row, of the wanted columns that are there, or of all.

    Raises:
        InvalidInput: it is no parquet file, or two of its columns share a name.
    """
    before = 0
    with _parquet(file) as parquet:
        names = parquet.schema_arrow.names
        require_unique(file, names)
        columns = None if wanted is None else [name for name in names if name in wanted]
        for batch in parquet.iter_batches(BATCH_ROWS, columns=columns):
            for row, values in enumerate(batch.to_pylist(), before + 1):
                yield Record(values, row, file.name)
            before += len(batch)


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
