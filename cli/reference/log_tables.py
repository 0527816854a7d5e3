"""What is read of a log and by which names, and what a journal holds, from the readers' own constants."""

from collections.abc import Iterable

import pyarrow as pa

from cli.reference.site_table import code, table
from serving.journal.journal_columns import JOURNAL
from traffic.adapters.sources import SOURCES
from traffic.cells.endings import ABORTED, CUT, ENDED
from traffic.cells.params import PARAMS, PARAMS_COLUMN
from traffic.cells.times import DATES, DATES_WITHOUT_ZONE, SECONDS, UNITS
from traffic.rows.rules import ENDING_COLUMNS, LENGTH_COLUMNS
from traffic.rows.schema import TRAFFIC

KINDS = {"string": "text", "large_string": "text", "double": "number", "int64": "whole number"}


def log_columns() -> str:
    """Those of our own form."""
    return _columns(TRAFFIC)


def journal_columns() -> str:
    """Those that only a server's journal has."""
    return _columns(one for one in JOURNAL if one.name not in TRAFFIC.names)


def other_names() -> str:
    """By which names and in which forms the same is understood."""
    times = ", ".join((SECONDS, *(unit for _, _, unit in UNITS), DATES, DATES_WITHOUT_ZONE))
    rows = [
        ("the length", _codes(LENGTH_COLUMNS)),
        ("how an answer ended", _codes(ENDING_COLUMNS)),
        ("the arrival", times),
        ("what is asked for", f"as JSON in {code(PARAMS_COLUMN)}, or in columns of their own: {_codes(PARAMS)}"),
    ]
    return table(("what", "names and forms"), rows)


def ending_words() -> str:
    """Every word for how an answer ended."""
    words = {"ended": ENDED, "cut": CUT, "aborted": ABORTED}
    return table(("means", "words"), ((code(ending), _codes(some.split())) for ending, some in words.items()))


def log_sources() -> str:
    """The logs of others, and the columns that are read of each."""
    return table(("source", "columns"), ((one.source, _codes(one.columns)) for one in SOURCES))


def _columns(columns: Iterable[pa.Field]) -> str:
    rows = ((code(one.name), KINDS[str(one.type)], one.metadata[b"meaning"].decode()) for one in columns)
    return table(("column", "holds", "meaning"), rows)


def _codes(words: Iterable[str]) -> str:
    return ", ".join(map(code, words))
