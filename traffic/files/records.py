"""The records of a file, whatever its format."""

from collections.abc import Collection, Generator
from contextlib import closing
from itertools import islice

from traffic.files.csv_records import csv_records
from traffic.files.json_records import json_lines, json_values
from traffic.files.log_files import LogFile
from traffic.files.parquet_records import parquet_records
from traffic.rows.bad_rows import BadRows
from traffic.rows.record import Record, Values

FIRST_RECORDS = 20
"""By which a file is told."""


def records_of(file: LogFile, bad: BadRows, wanted: Collection[str] | None = None) -> Generator[Record]:
    """Its rows in their order, one at a time; of a parquet file only the wanted columns are read.

    A column that it has by the folder in which it lies (`partitions.py`) is in all of them.

    Raises:
        InvalidInput: it cannot be read.
    """
    file = file.grown
    if file.format == "parquet":
        return parquet_records(file, wanted)
    return _with_partition(file, _text_records(file, bad))


def first_records(file: LogFile) -> list[Values]:
    """All columns of the first records that can be read, some of which may be none of what the others are.

    Raises:
        InvalidInput: the file cannot be read.
    """
    is_parquet = file.format == "parquet"
    found = parquet_records(file, None, rows=FIRST_RECORDS) if is_parquet else records_of(file, BadRows(1.0))
    with closing(found) as records:
        return [record.values for record in islice(records, FIRST_RECORDS)]


def _text_records(file: LogFile, bad: BadRows) -> Generator[Record]:
    if file.format == "CSV":
        return csv_records(file, bad)
    return json_lines(file, bad) if file.format == "JSON Lines" else json_values(file, bad)


def _with_partition(file: LogFile, records: Generator[Record]) -> Generator[Record]:
    if not file.partition:
        return records
    return (record._replace(values={**file.partition, **record.values}) for record in records)
