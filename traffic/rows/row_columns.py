"""Rows of traffic as columns: what is counted, sorted and kept of millions, without a Python object for each."""

from collections.abc import Iterable

import pyarrow as pa

from traffic.cells.asked import asked_cell
from traffic.rows.row import Row
from traffic.texts import table_of

ROW_COLUMNS = pa.schema(
    [
        pa.field("text", pa.large_string()),
        pa.field("output_tokens", pa.int64()),
        pa.field("ending", pa.string()),
        pa.field("group", pa.large_string()),
        pa.field("arrival_s", pa.float64()),
        pa.field("prompt_tokens", pa.int64()),
        pa.field("asked", pa.large_string()),
        pa.field("record", pa.int64()),
    ]
)
"""By the names of `Row`; `asked` is what its parameters ask for (`traffic/cells/asked.py`), and `record` is the row's
place among all records of the log, the first is 1."""


def row_columns(rows: Iterable[tuple[int, Row]]) -> pa.Table:
    """Rows, each with its place among all records, as columns."""
    return table_of(
        (
            (
                *(row.text, row.output_tokens, row.ending, row.group, row.arrival_s, row.prompt_tokens),
                *(asked_cell(row.params), record),
            )
            for record, row in rows
        ),
        ROW_COLUMNS,
    )
