"""A batch of records of our own form as rows, those of them whose cells are all plain; the others are left over."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from traffic.cells.conversations import MESSAGES
from traffic.cells.endings import UNSAID, ending_of
from traffic.cells.params import PARAM_COLUMNS
from traffic.files.parquet_records import Block
from traffic.notes.tally import Tally
from traffic.reading.plain_cells import (
    Flags,
    PlainCells,
    plain_asked,
    plain_counts,
    plain_names,
    plain_texts,
    plain_times,
)
from traffic.rows.rules import ENDING_COLUMNS, LENGTH_COLUMNS, PROMPT_KEY, Columns


class Lengths(NamedTuple):
    """Lengths of answers, and which other column each is of."""

    cells: PlainCells
    others: Mapping[str, Flags]


class Endings(NamedTuple):
    """How answers ended, and where the log says so."""

    cells: PlainCells
    is_said: Flags


class PlainRows:
    """The rows of a batch; `is_plain` says which of them are made already."""

    def __init__(self, block: Block, columns: Columns) -> None:
        self._block = block
        self._columns = columns
        self._texts = self._prompts()
        self._lengths = self._output_tokens()
        self._endings = _endings(block)
        self._groups = plain_names(self._block.column(columns.group))
        self._prompt_tokens = plain_counts(self._block.column(columns.prompt_tokens))
        self._arrivals = plain_times(self._block.column(columns.arrival))
        self._asked = self._asked_for()
        cells = (self._texts, self._lengths.cells, self._endings.cells, self._groups, self._prompt_tokens, self._asked)
        self.is_plain: Flags = np.logical_and.reduce([*(one.is_plain for one in cells), self._has_its_arrival()])

    def columns(self) -> list[pa.Array]:
        """All rows in the order of `ROW_COLUMNS`, but for its last; of those that are not plain they say nothing."""
        before = (self._texts, self._lengths.cells, self._endings.cells, self._groups)
        after = (self._prompt_tokens, self._asked)
        return [*(one.values for one in before), self._arrivals.values, *(one.values for one in after)]

    def tell(self, tally: Tally, taken: Flags) -> None:
        """Count what was understood of the rows that are taken."""
        tokens = self._lengths.cells.values.fill_null(0).to_numpy(zero_copy_only=False)
        is_unexplained = taken & ~self._endings.is_said & (tokens > 0)
        tally.see_endings(int((taken & self._endings.is_said).sum()), _counted(tokens[is_unexplained]))
        if self._columns.prompt is not None:
            keys = plain_texts(self._block.column(PROMPT_KEY)).values
            tally.keyed_prompts += int((taken & ~_is_null(keys) & _is_null(self._texts.values)).sum())
        for name, is_its in self._lengths.others.items():
            tally.see_other_column(name, int((taken & is_its).sum()))
        is_timed = taken & ~_is_null(self._arrivals.values)
        for place, rows in _counted(self._arrivals.forms[is_timed]).items():
            tally.see_arrivals(self._arrivals.names[place], rows)

    def _prompts(self) -> PlainCells:
        """Prompts that are text; what has none but a chat beside it is not plain."""
        if self._columns.prompt is None:
            return PlainCells(pa.nulls(len(self._block), pa.large_string()), np.ones(len(self._block), dtype=np.bool_))
        texts = plain_texts(self._block.column(self._columns.prompt))
        return texts._replace(
            is_plain=texts.is_plain & (~_is_null(texts.values) | _is_null(self._block.column(MESSAGES)))
        )

    def _asked_for(self) -> PlainCells:
        names = PARAM_COLUMNS if self._columns.has_params else ()
        return plain_asked({name: self._block.column(name) for name in names}, len(self._block))

    def _output_tokens(self) -> Lengths:
        name = self._columns.length
        cells = plain_counts(self._block.column(name))
        others: dict[str, Flags] = {}
        for other in LENGTH_COLUMNS[1:] if name == LENGTH_COLUMNS[0] else ():
            its, is_open = plain_counts(self._block.column(other)), _is_null(cells.values)
            others[other] = is_open & ~_is_null(its.values)
            is_plain = cells.is_plain & (its.is_plain | ~is_open)
            cells = PlainCells(pc.coalesce(cells.values, its.values), is_plain)
        return Lengths(cells, others)

    def _has_its_arrival(self) -> Flags:
        """Where an arrival is plain, or none is needed."""
        if not self._columns.needs_arrival or self._columns.arrival is None:
            return self._arrivals.is_plain
        tokens = self._lengths.cells.values.fill_null(0).to_numpy(zero_copy_only=False)
        is_needed: Flags = (tokens > 0) | (self._columns.length is None)
        is_missing: Flags = is_needed & _is_null(self._arrivals.values)
        return self._arrivals.is_plain & ~is_missing


def _endings(block: Block) -> Endings:
    """The first word that says how an answer ended; one that is unknown, or no text, is not plain."""
    words = pa.nulls(len(block), pa.large_string())
    is_plain = np.ones(len(block), dtype=np.bool_)
    for name in ENDING_COLUMNS:
        column = block.column(name)
        if column.null_count < len(block):
            is_open, its = _is_null(words), plain_names(column)
            is_plain &= its.is_plain | ~is_open
            words = pc.coalesce(words, its.values)
    distinct = words.dictionary_encode()
    known = [*map(ending_of, distinct.dictionary.to_pylist()), UNSAID]
    places = distinct.indices.fill_null(len(known) - 1).to_numpy(zero_copy_only=False)
    is_known = np.array([one.unknown_word is None for one in known])[places]
    values = pa.array([one.ending for one in known]).take(pa.array(places))
    return Endings(PlainCells(values, is_plain & is_known), np.array([one.is_said for one in known])[places])


def _counted(values: npt.NDArray[np.int64]) -> Counter[int]:
    return Counter(dict(zip(*(part.tolist() for part in np.unique(values, return_counts=True)), strict=True)))


def _is_null(column: pa.Array) -> Flags:
    return np.asarray(column.is_null().to_numpy(zero_copy_only=False), dtype=np.bool_)
