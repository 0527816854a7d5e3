"""The columns of a journal that are numbers and short words, some ten thousand rows at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from registry.errors import InvalidInput
from serving.journal.journal_columns import JOURNAL
from traffic.files.log_files import LogFile, log_files
from traffic.files.parquet_records import parquet_blocks
from traffic.files.records import records_of
from traffic.rows.bad_rows import BadRows
from traffic.texts import chunks_of

BATCH_ROWS = 1 << 16


def journal_batches(journal: Path, names: Sequence[str]) -> Iterator[pa.Table]:
    """Some columns of all rows, in the order of the files: parquet, and what a server is appending to.

    A column that a file does not have is null; a line that is no row is left out.

    Raises:
        InvalidInput: there is no journal, a file cannot be read, or a column holds something else.
    """
    schema = pa.schema([JOURNAL.field(name) for name in names])
    for file in (one.grown for one in log_files(journal).files):
        try:
            yield from _of_parquet(file, schema) if file.format == "parquet" else _of_lines(file, schema)
        except pa.ArrowException as error:
            raise InvalidInput(
                f"{file.path} must hold rows of a server's journal, but a column of it holds something else: {error};"
                " give the folder that PARS_JOURNAL_DIR names."
            ) from error


def _of_parquet(file: LogFile, schema: pa.Schema) -> Iterator[pa.Table]:
    for block in parquet_blocks(file, schema.names, BATCH_ROWS):
        yield pa.table([block.column(field.name).cast(field.type) for field in schema], schema)


def _of_lines(file: LogFile, schema: pa.Schema) -> Iterator[pa.Table]:
    for records in chunks_of(records_of(file, BadRows(1.0), schema.names)):
        yield pa.Table.from_pylist([record.values for record in records], schema)
