"""The one reader of logs: a file or a folder, of our own form or another tool's, as rows of traffic, one at a time."""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa

from registry.errors import InvalidInput
from terminal.progress import Advance, progress
from traffic.adapters.adapter import Adapter
from traffic.cells.answer_tokens import load_tokenizer
from traffic.cells.bad_cell import BadCell
from traffic.cells.conversations import MESSAGES
from traffic.files.parquet_records import Block
from traffic.reading.judge import Judge
from traffic.reading.log_requests import LogRequests, Requests
from traffic.reading.row_maker import RowMaker
from traffic.rows.arrival_window import EVER, ArrivalWindow
from traffic.rows.bad_rows import BadRows
from traffic.rows.record import Record
from traffic.rows.row import Row
from traffic.rows.row_columns import row_columns
from traffic.rows.rules import Columns, Need, RowRules
from traffic.texts import chunks_of

OWN_FORM = "own form"
"""The source of what no adapter reads."""
PROMPT_COLUMNS = (RowRules.prompt_column, MESSAGES)
"""Where adapters put prompts."""


class Reading:
    """One pass over a log. What was understood of it is known when all its rows were taken."""

    def __init__(
        self,
        path: Path,
        rules: RowRules,
        columns: Columns,
        needs: Sequence[Need] = (),
        model: str | None = None,
        window: ArrivalWindow = EVER,
    ) -> None:
        """Where a window is given, the columns must name the arrival."""
        assert window.is_open or columns.arrival is not None
        self.num_outside = 0
        """Good rows so far that did not arrive in the window, or nobody knows when."""
        self.sources: Counter[str] = Counter()
        """Requests of each source that was recognised."""
        self.bad = BadRows(rules.bad_row_share)
        self._path = path
        self._seen: Advance
        self._window = window
        self._columns = columns
        self._requests = LogRequests(path, columns, needs, self.bad, model)
        self._maker = RowMaker(load_tokenizer(rules.tokenizer) if rules.tokenizer else None)
        self._judge = Judge(self._maker, model)

    def rows(self, only: Container[int] | None = None) -> Iterator[Row]:
        """The rows of the model that was asked for, or of all, in the order of the files and of what stands in them.

        `only` are places among all records (`num_records`): a second pass over a log for some rows, judging no others.

        Raises:
            InvalidInput: a file cannot be read, a column is missing, or more rows are bad than are tolerated.
        """
        for requests in self._by_source():
            for row in self._good(requests.records(), requests.source, only):
                if self._window.holds(row.arrival_s):
                    yield row
                else:
                    self.num_outside += 1
        self._finish(self.num_rows if only is None else self.num_records)

    def batches(self) -> Iterator[pa.Table]:
        """The same rows as columns (`ROW_COLUMNS`), some thousand at a time.

        Parquet of our own form is read without a Python object for each row, but for those that `plain_cells.py` does
        not know; rows, counts, notes and errors are the same either way. What only `rows` reads is not there.

        Raises:
            InvalidInput: as `rows`.
        """
        for source, parts in self._by_source():
            for part in parts:
                if isinstance(part, Block):
                    self._seen(len(part))
                    self.sources[OWN_FORM] += len(part)
                    yield self._in_window(self._judge.rows_of(part, self._columns, self._leave_out))
                else:
                    rows = self._good(part, source, None)
                    numbered = ((self.num_records, row) for row in rows)
                    yield from map(self._in_window, map(row_columns, chunks_of(numbered)))
        self._finish(self.num_rows)

    @property
    def models(self) -> Counter[str]:
        """Rows of each target LLM that is named; 0 where they were not looked at, being none of the model's."""
        return self._judge.models

    @property
    def num_records(self) -> int:
        """Records so far: the place of the row that was taken last among all records of the log."""
        return self._judge.num_records

    @property
    def num_rows(self) -> int:
        """Rows so far, bad ones and those outside of the window among them; without those of other models."""
        return self._judge.num_good + self.bad.count + self.num_misfits

    @property
    def num_misfits(self) -> int:
        """Records so far that have not the form of their source."""
        return self._requests.num_misfits

    @property
    def keyed_prompts(self) -> int:
        """Rows so far of which a journal has kept a digest and no text."""
        return self._maker.tally.keyed_prompts

    def notes(self) -> list[str]:
        """What a user should know of how the log was read: sentences."""
        bad = [self.bad.note()] if self.bad.count else []
        return [*self._requests.notes(), *bad, *self._maker.tally.notes()]

    def _in_window(self, rows: pa.Table) -> pa.Table:
        if self._window.is_open:
            return rows
        inside = rows.filter(self._window.holds_each(rows["arrival_s"]))
        self.num_outside += len(rows) - len(inside)
        return inside

    def _by_source(self) -> Iterator[Requests]:
        with progress(f"read {self._path.name}", "rows") as self._seen:
            for requests in self._requests.by_source(lambda: self._maker.tally.answers_in_messages > 0):
                self.models.update(dict.fromkeys(filter(None, self._requests.other_models), 0))
                yield requests
        self.models.update(dict.fromkeys(filter(None, self._requests.other_models), 0))

    def _finish(self, rows: int) -> None:
        self.bad.check(rows)
        if not self.num_records and not self._requests.other_models:
            raise InvalidInput(
                f"a log must hold at least one row, but {self._path} has none."
                + "".join(f" {note}" for note in self.notes())
            )

    def _good(self, records: Iterable[Record], source: Adapter | None, only: Container[int] | None) -> Iterator[Row]:
        columns = self._columns if source is None else self._columns.of_adapted()
        leave_out = partial(self._leave_out, source=source)
        for record in records:
            self._seen()
            self.sources[OWN_FORM if source is None else source.source] += 1
            if only is not None and self.num_records + 1 not in only:
                self._judge.skip()
                continue
            row = self._judge.row(record, columns, leave_out)
            if row is not None:
                yield row

    def _leave_out(self, record: Record, cell: BadCell, source: Adapter | None = None) -> None:
        """A bad row; or a misfit, where another tool's prompt is in no form that is known."""
        if source is not None and cell.column in PROMPT_COLUMNS:
            self._requests.remarks(source.source).add_misfit(record, "a prompt that is neither text nor a chat")
        else:
            self.bad.add_cell(record.place, cell)


def rows_with_params(path: Path, rules: RowRules, model: str | None = None) -> Iterator[Row]:
    """A pass over a log that was read before, for what its requests asked for beside their texts.

    Raises:
        InvalidInput: as `Reading.rows`.
    """
    columns = Columns(prompt=rules.prompt_column, length=rules.length_column, has_params=True)
    yield from Reading(path, rules, columns, model=model).rows()
