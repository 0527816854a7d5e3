"""Records of JSON: a line each, or the items of an array or objects one after the other, however long the file is."""

from collections.abc import Generator, Iterable, Iterator
from json import JSONDecodeError, JSONDecoder
from typing import Any, TextIO

from registry.errors import InvalidInput
from traffic.files.log_files import BYTE_ORDER_MARK, LogFile
from traffic.rows.bad_rows import BadRow, BadRows
from traffic.rows.record import Place, Record

WINDOW_CHARACTERS = 1 << 20
LARGEST_RECORD = 1 << 28
"""Characters of one record at most; what is longer is no row but a file with a bracket too many."""


KINDS: dict[type, str] = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
"""What is shown of a record that is none: its text may be somebody's prompt."""
PAGE = "data"
"""What APIs call the list of records on a page of theirs."""
TEXTS = frozenset({"prompt", "messages"})
"""What a record has, and no page."""


class _Doubled(dict[str, Any]):
    """An object that names a key twice."""


def json_lines(file: LogFile, bad: BadRows) -> Generator[Record]:
    """A record a line, or those of a page a line; a line that is no JSON object is a bad row."""
    with file.open() as stream:
        lines = ((number, line) for number, line in enumerate(stream, 1) if not _is_no_row(line, file))
        yield from _records((_parsed(line, number, file, bad) for number, line in lines), file)


def _is_no_row(line: bytes, file: LogFile) -> bool:
    """Whether there is nothing in a line, or not yet all of it."""
    return line.isspace() or (file.is_growing and not line.endswith(b"\n"))


def json_values(file: LogFile, bad: BadRows) -> Generator[Record]:
    """A record for each item of an array, or each of several objects; one that is no object is a bad row.

    Raises:
        InvalidInput: it is no JSON.
    """
    with file.open_text() as text:
        values = enumerate(_values(file, text), 1)
        yield from _records(
            (_object(value, Place(number, file.name, "item"), file, bad) for number, value in values), file
        )


def _records(objects: Iterable[dict[str, Any] | None], file: LogFile) -> Iterator[Record]:
    """Objects as records, each in its row; None takes the row of one that is bad."""
    row = 0
    for values in objects:
        for one in [None] if values is None else _on_page(values):
            row += 1
            if one is not None:
                yield Record(one, row, file.name)


def _on_page(values: dict[str, Any]) -> list[dict[str, Any]]:
    """The records of an API's page; a record alone is its own page."""
    held = values.get(PAGE)
    is_page = isinstance(held, list) and all(isinstance(one, dict) for one in held) and not TEXTS & values.keys()
    return held if is_page and held is not None else [values]


def _parsed(line: bytes, number: int, file: LogFile, bad: BadRows) -> dict[str, Any] | None:
    place = Place(number, file.name, "line")
    line = line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line
    try:
        text = line.decode("utf-8", "surrogatepass")  # halves of a character are mended where a cell is read
        return _object(_DECODER.decode(text), place, file, bad)
    except UnicodeDecodeError as error:
        bad.add(BadRow(place, f"{file.path} must be a UTF-8 text file", f"is not: {error}", "not UTF-8"))
    except (ValueError, RecursionError) as error:  # a number of too many digits is no JSONDecodeError
        bad.add(BadRow(place, f"each line of {file.path} must be a JSON object", f"is not: {error}", "no JSON"))
    return None


def _object(value: Any, place: Place, file: LogFile, bad: BadRows) -> dict[str, Any] | None:
    if isinstance(value, _Doubled):
        bad.add(BadRow(place, "a record must name each key once", f"of {file.path} names one twice", "a key twice"))
    elif isinstance(value, dict):
        return value
    else:
        kind = KINDS.get(type(value), "a number")
        bad.add(BadRow(place, f"each record of {file.path} must be a JSON object", f"holds {kind}", kind))
    return None


def _values(file: LogFile, text: TextIO) -> Iterator[Any]:
    window = text.read(WINDOW_CHARACTERS).lstrip()
    is_array = window.startswith("[")
    at = int(is_array)
    while True:
        at = _next_value(window, at)
        if is_array and window.startswith("]", at):
            return
        try:
            value, at = _DECODER.raw_decode(window, at)
        except (ValueError, RecursionError) as error:  # perhaps it only goes on after the window
            more = text.read(max(WINDOW_CHARACTERS, len(window))) if len(window) - at < LARGEST_RECORD else ""
            if not more and not is_array and at == len(window):
                return
            if not more:
                raise InvalidInput(f"{file.path} must be JSON, but it cannot be read: {_told(error)}.") from error
            window, at = window[at:] + more, 0
        else:
            yield value


def _told(error: ValueError | RecursionError) -> str:
    """What is wrong, without the place, which counts from where the reading went on."""
    return error.msg if isinstance(error, JSONDecodeError) else str(error)


def _next_value(window: str, at: int) -> int:
    while at < len(window) and window[at] in " \t\r\n,":
        at += 1
    return at


def _noticing_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    return values if len(values) == len(pairs) else _Doubled(values)


_DECODER = JSONDecoder(object_pairs_hook=_noticing_doubles)
