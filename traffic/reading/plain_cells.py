"""Columns of a log whose cells need no look one by one: the same meaning as in `traffic/cells/`, for a batch at once.

What is not plain here may still be fine: it is left to the functions for one cell, which alone know what is bad.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from traffic.cells.asked import asked_cell
from traffic.cells.counts import MOST_TOKENS
from traffic.cells.params import params_in
from traffic.cells.times import DATES, DATES_WITHOUT_ZONE, SECONDS, UNITS

Flags = npt.NDArray[np.bool_]

_SPACE = r"[\s\v\x1c-\x1f\x{85}\p{Z}]*"
"""All that Python takes for white space, and no less."""
MAY_BE_CHAT_OR_BLANK = rf'^{_SPACE}(?:[\[{{"]|$)'
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6}
FIRST_S, LAST_S = -62_135_596_800, 253_402_300_799
"""The years 1 to 9999, all that Python has dates for."""
EXACT = 2**53
"""Whole numbers below it are exact as floats."""


class PlainCells(NamedTuple):
    """A column's values, and which of them are to be taken; nulls are."""

    values: pa.Array
    is_plain: Flags


class PlainTimes(NamedTuple):
    """Seconds, and in which form the column had them."""

    values: pa.Array
    is_plain: Flags
    forms: npt.NDArray[np.int64]
    """Of each value, as a place among the names of forms."""
    names: tuple[str, ...]


def plain_texts(column: pa.Array) -> PlainCells:
    """Texts that are neither blank nor the JSON of anything."""
    texts = _decoded(column)
    if not _is_text(texts.type) or not _is_utf8(texts):
        return _none_but_nulls(column, pa.large_string())
    texts = texts.cast(pa.large_string())
    may_be_more = pc.fill_null(pc.match_substring_regex(texts, MAY_BE_CHAT_OR_BLANK), False)
    return PlainCells(texts, ~_flags(may_be_more))


def plain_names(column: pa.Array) -> PlainCells:
    """Names that are text, or whole numbers."""
    names = _decoded(column)
    is_plain = (_is_text(names.type) and _is_utf8(names)) or pa.types.is_integer(names.type)
    if not is_plain:
        return _none_but_nulls(column, pa.large_string())
    return PlainCells(names.cast(pa.large_string()), np.ones(len(names), dtype=np.bool_))


def plain_counts(column: pa.Array) -> PlainCells:
    """Numbers of tokens, also where nulls have turned whole numbers into floats."""
    is_number = pa.types.is_integer(column.type) or column.type in (pa.float32(), pa.float64())
    if not is_number:
        return _none_but_nulls(column, pa.int64())
    is_null = _flags(column.is_null(nan_is_null=True))
    numbers = np.where(is_null, 0, column.fill_null(0).to_numpy(zero_copy_only=False))
    is_plain = (numbers >= 0) & (numbers <= MOST_TOKENS) & (numbers == np.floor(numbers))
    whole = np.where(is_plain, numbers, 0).astype(np.int64)
    return PlainCells(pa.array(whole, mask=is_null | ~is_plain), is_plain | is_null)


def plain_times(column: pa.Array) -> PlainTimes:
    """Seconds of numbers in any unit, and of dates."""
    kind = column.type
    if pa.types.is_timestamp(kind) and kind.unit in PER_SECOND:
        return _dates(column, PER_SECOND[kind.unit], DATES if kind.tz else DATES_WITHOUT_ZONE)
    if not pa.types.is_integer(kind) and kind not in (pa.float32(), pa.float64()):
        values, is_plain = _none_but_nulls(column, pa.float64())
        return PlainTimes(values, is_plain, np.zeros(len(column), dtype=np.int64), (SECONDS,))
    is_null = _flags(column.is_null(nan_is_null=True))
    numbers = np.where(is_null, 0, column.fill_null(0).to_numpy(zero_copy_only=False)).astype(np.float64)
    is_plain = np.isfinite(numbers)
    forms = sum((np.abs(numbers) >= least).astype(np.int64) for least, _, _ in UNITS)
    per_second = np.array([1.0, *(per_s for _, per_s, _ in reversed(UNITS))])
    names = (SECONDS, *(form for _, _, form in reversed(UNITS)))
    return PlainTimes(pa.array(numbers / per_second[forms], mask=is_null), is_plain, np.asarray(forms), names)


def plain_asked(columns: Mapping[str, pa.Array], rows: int) -> PlainCells:
    """What requests ask for in these columns; what comes again is read once. Only Python knows what it means."""
    given = {name: column for name, column in columns.items() if column.null_count < len(column)}
    nothing, all_plain = pa.nulls(rows, pa.large_string()), np.ones(rows, dtype=np.bool_)
    if not given:
        return PlainCells(nothing, all_plain)
    if not all(_is_utf8(_decoded(column)) for column in given.values()):
        return PlainCells(nothing, ~all_plain)
    known: dict[str, str | None] = {}
    cells: list[str | None] = []
    for values in zip(*(column.to_pylist() for column in given.values()), strict=True):
        key = repr(values)
        if key not in known:
            known[key] = asked_cell(params_in(dict(zip(given, values, strict=True))))
        cells.append(known[key])
    return PlainCells(pa.array(cells, pa.large_string()), all_plain)


def _dates(column: pa.Array, per_second: int, form: str) -> PlainTimes:
    is_null = _flags(column.is_null())
    counts = column.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    is_date = (counts >= FIRST_S * per_second) & (counts <= LAST_S * per_second) & (np.abs(counts) < EXACT)
    forms = np.zeros(len(column), dtype=np.int64)
    return PlainTimes(pa.array(counts / per_second, mask=is_null), is_date, forms, (form,))


def _none_but_nulls(column: pa.Array, kind: pa.DataType) -> PlainCells:
    return PlainCells(pa.nulls(len(column), kind), _flags(column.is_null()))


def _decoded(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _is_text(kind: pa.DataType) -> bool:
    return kind in (pa.string(), pa.large_string())


def _is_utf8(texts: pa.Array) -> bool:
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _flags(column: pa.Array) -> Flags:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.bool_)
