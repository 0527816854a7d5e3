"""All bad rows of a log in one table, for whoever is to mend them; no text of a prompt stands in it."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from traffic.cells.conversations import MESSAGES
from traffic.rows.bad_rows import BadRow, BadRows

HEADER = ("file", "row", "counted_by", "column", "rule", "value")


@contextmanager
def bad_row_table(path: Path, bad: BadRows, log: Path, prompt_column: str) -> Iterator[None]:
    """A CSV file to which every bad row is written that is found meanwhile.

    `counted_by` is what `row` counts: rows, lines, or items of an array. Where more than a cell is wrong, there is no
    column and no value.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(HEADER)

        def tell(row: BadRow) -> None:
            cell, place = row.cell, row.place
            is_text = cell is None or cell.column in (prompt_column, MESSAGES)
            named = (cell.column, row.rule, None if is_text else cell.value) if cell else (None, row.rule, None)
            table.writerow((place.file or log.name, place.row, place.unit, *named))

        bad.tell = tell
        try:
            yield
        finally:
            bad.tell = None
