"""Records of CSV: text cells, whatever separates them."""

import csv
from collections.abc import Generator, Iterator
from itertools import chain

from registry.errors import InvalidInput
from traffic.files.log_files import LogFile
from traffic.rows.bad_rows import BadRow, BadRows
from traffic.rows.record import Place, Record

SEPARATORS = ",;\t|"


def csv_records(file: LogFile, bad: BadRows) -> Generator[Record]:
    """A record a row, its empty cells None; a row with more or fewer cells than the header is bad.

    Raises:
        InvalidInput: the header names a column twice, or quotes are not closed.
    """
    csv.field_size_limit(2**31 - 1)  # prompts are longer than the 128 KiB that a cell may have by default
    with file.open_text() as text:
        first = text.readline()
        rows = csv.reader(chain([first], text), delimiter=max(SEPARATORS, key=first.count), strict=True)
        try:
            yield from _records(file, rows, bad)
        except csv.Error as error:
            raise InvalidInput(f"{file.path} must be a CSV file, but it cannot be read: {error}.") from error


def _records(file: LogFile, rows: Iterator[list[str]], bad: BadRows) -> Iterator[Record]:
    header = [name.strip() for name in next(rows)]
    require_unique(file, header)
    for number, cells in enumerate((row for row in rows if row), 1):
        if len(cells) == len(header):
            yield Record(dict(zip(header, (cell or None for cell in cells), strict=True)), number, file.name)
        else:
            held = f"{len(cells)} cells"
            place = Place(number, file.name)
            bad.add(BadRow(place, f"a row must have the header's {len(header)} cells", f"has {len(cells)}", held))


def require_unique(file: LogFile, names: list[str]) -> None:
    """Refuse columns that share a name.

    Raises:
        InvalidInput: names them.
    """
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidInput(
            f"each column of a log must have a name of its own, but {file.path} names {', '.join(map(repr, twice))}"
            " twice; rename one of them."
        )
