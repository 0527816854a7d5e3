"""Which records of a log are good rows of the target LLM that was asked for; the others are counted or listed."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from traffic.cells.bad_cell import BadCell
from traffic.cells.names import name_of
from traffic.files.parquet_records import Block
from traffic.reading.plain_cells import plain_names
from traffic.reading.plain_rows import PlainRows
from traffic.reading.row_maker import RowMaker
from traffic.rows.record import Record
from traffic.rows.row import Row
from traffic.rows.row_columns import ROW_COLUMNS, row_columns
from traffic.rows.rules import MODEL, Columns

LeaveOut = Callable[[Record, BadCell], None]
"""Takes a record with a cell that cannot be used."""


class Judge:
    """Takes the records of a log in their order, and counts them."""

    def __init__(self, maker: RowMaker, model: str | None) -> None:
        self.models: Counter[str] = Counter()
        self.num_records = 0
        self.num_good = 0
        self._maker = maker
        self._model = model

    def skip(self) -> None:
        """Count the next record, without a look at it."""
        self.num_records += 1

    def row(self, record: Record, columns: Columns, leave_out: LeaveOut) -> Row | None:
        """The next record as a row; None if it is bad or of another model."""
        self.num_records += 1
        model = name_of(record.values.get(MODEL))
        if model is not None:
            self.models[model] += 1
        if self._model is not None and model != self._model:
            return None
        return self._made(record, columns, model, leave_out)

    def rows_of(self, block: Block, columns: Columns, leave_out: LeaveOut) -> pa.Table:
        """The rows of the next block as columns: the plain ones as they are, the others made one by one."""
        before, self.num_records = self.num_records, self.num_records + len(block)
        models = _models(block)
        counts = pc.value_counts(models.drop_null())
        self.models.update(dict(zip(counts.field(0).to_pylist(), counts.field(1).to_pylist(), strict=True)))
        is_its = self._is_its(models)
        rows = PlainRows(block, columns)
        taken = rows.is_plain & is_its
        rows.tell(self._maker.tally, taken)
        self.num_good += int(taken.sum())
        records = pa.array(np.arange(before + 1, self.num_records + 1))
        plain = pa.table([*rows.columns(), records], ROW_COLUMNS).filter(pa.array(taken))
        others = np.flatnonzero(is_its & ~rows.is_plain)
        if not len(others):
            return plain
        made = (
            (before + place + 1, self._made(record, columns, models[place].as_py(), leave_out))
            for place, record in zip(others.tolist(), block.records(others), strict=True)
        )
        good = row_columns((number, row) for number, row in made if row is not None)
        return pa.concat_tables([plain, good]).sort_by("record")

    def _made(self, record: Record, columns: Columns, model: str | None, leave_out: LeaveOut) -> Row | None:
        try:
            row = self._maker.row(record.values, columns, model)
        except BadCell as cell:
            leave_out(record, cell)
            return None
        self.num_good += 1
        return row

    def _is_its(self, models: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        if self._model is None:
            return np.ones(len(models), dtype=np.bool_)
        return np.asarray(pc.fill_null(pc.equal(models, self._model), False).to_numpy(zero_copy_only=False), np.bool_)


def _models(block: Block) -> pa.Array:
    names = plain_names(block.column(MODEL))
    if names.is_plain.all():
        return names.values
    return pa.array(map(name_of, block.column(MODEL).to_pylist()), pa.large_string())
