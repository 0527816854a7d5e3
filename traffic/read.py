"""The one reader of logs: a file or a folder, of our own form or another tool's, as rows of traffic, one at a time."""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from registry.errors import InvalidInput
from traffic.adapters.adapter import Adapter
from traffic.adapters.sources import source_of
from traffic.cells.answer_tokens import load_tokenizer
from traffic.cells.bad_cell import BadCell
from traffic.cells.conversations import MESSAGES
from traffic.cells.names import name_of
from traffic.files.log_files import LogFile, log_files
from traffic.files.records import first_values, records_of
from traffic.reading.row_maker import RowMaker
from traffic.rows.bad_rows import BadRows
from traffic.rows.record import Record, Values
from traffic.rows.row import Row
from traffic.rows.rules import MODEL, Columns, Need, RowRules

FORMATS_WITH_COLUMNS = ("parquet", "CSV")
SHOWN = 5


class Reading:
    """One pass over a log. What was understood of it is known when all its rows were taken."""

    def __init__(
        self, path: Path, rules: RowRules, columns: Columns, needs: Sequence[Need] = (), model: str | None = None
    ) -> None:
        self.models: Counter[str] = Counter()
        """Rows of each target LLM that is named."""
        self.bad = BadRows(rules.bad_row_share)
        self._path = path
        self._columns = columns
        self._needs = needs
        self._model = model
        self._maker = RowMaker(load_tokenizer(rules.tokenizer) if rules.tokenizer else None)
        self._told: list[str] = []
        self._names: dict[str, None] = {}
        self.num_records = 0
        """Records so far: the place of the row that was taken last among all records of the log."""
        self._good_rows = 0

    def rows(self, only: Container[int] | None = None) -> Iterator[Row]:
        """The rows of the model that was asked for, or of all, in the order of the files and of what stands in them.

        `only` are places among all records (`num_records`): a second pass over a log for some rows, judging no others.

        Raises:
            InvalidInput: a file cannot be read, a column is missing, or more rows are bad than are tolerated.
        """
        files, ignored = log_files(self._path)
        if ignored:
            more = f" and {len(ignored) - SHOWN:,} more" if len(ignored) > SHOWN else ""
            self._told.append(
                f"Files of the folder that hold no rows were ignored: {', '.join(ignored[:SHOWN])}{more}."
            )
        for source, its_files in self._by_source(files).items():
            yield from self._good(self._requests(source, its_files), source, only)
        self.bad.check(self.num_rows if only is None else self.num_records)
        if not self.num_records:
            raise InvalidInput(f"a log must hold at least one row, but {self._path} has none.")

    @property
    def num_rows(self) -> int:
        """Rows so far, bad ones among them; without those of other models."""
        return self._good_rows + self.bad.count

    def notes(self) -> list[str]:
        """What a user should know of how the log was read: sentences."""
        bad = [self.bad.note()] if self.bad.count else []
        return [*self._told, *bad, *self._maker.tally.notes()]

    def _by_source(self, files: Iterable[LogFile]) -> Mapping[Adapter | None, list[LogFile]]:
        """The files of each source together, since what one of them asks another may answer."""
        found: dict[Adapter | None, list[LogFile]] = {}
        for file in files:
            values = first_values(file)
            source = None if self._has_own_columns(values) else source_of(values)
            found.setdefault(source, []).append(file)
            if source is None:
                self._names |= dict.fromkeys(values)
        return found

    def _has_own_columns(self, values: Values) -> bool:
        return self._columns.length in values and bool({self._columns.prompt, MESSAGES} & values.keys())

    def _requests(self, source: Adapter | None, files: Sequence[LogFile]) -> Iterator[Record]:
        wanted = self._columns.wanted if source is None else {*source.columns, *filter(None, [self._columns.group])}
        records = (record for file in files for record in records_of(file, self.bad, wanted))
        if source is None:
            return self._own(records, all(file.format in FORMATS_WITH_COLUMNS for file in files))
        return source.requests(records, self._told.append)

    def _own(self, records: Iterable[Record], has_columns: bool) -> Iterator[Record]:
        """Records of our own form, in which no column may be missing; JSON knows its columns only at its end."""
        if has_columns and self._names:
            self._require_columns(MESSAGES in self._names)
        for record in records:
            if not record.values.keys() <= self._names.keys():
                self._names |= dict.fromkeys(record.values)
            yield record
        if self._names:
            self._require_columns(self._maker.tally.answers_in_messages > 0)

    def _require_columns(self, can_hold_answers: bool) -> None:
        """Refuse a log that lacks a column, unless it is the length's and the answers themselves are there."""
        missing = [need for need in self._needs if not {*need.names} & self._names.keys()]
        if can_hold_answers:
            missing = [need for need in missing if self._columns.length not in need.names]
        if missing:
            raise InvalidInput(
                f"{self._path} must have the column {', '.join(need.words for need in missing)}, but its columns are"
                f" {', '.join(map(repr, self._names))}; choose with prompt_column, length_column, ..."
            )

    def _good(self, records: Iterable[Record], source: Adapter | None, only: Container[int] | None) -> Iterator[Row]:
        columns = self._columns if source is None else self._columns.of_adapted()
        for record in records:
            self.num_records += 1
            if only is not None and self.num_records not in only:
                continue
            model = name_of(record.values.get(MODEL))
            if model is not None:
                self.models[model] += 1
            if self._model is not None and model != self._model:
                continue
            try:
                row = self._maker.row(record.values, columns, model)
            except BadCell as cell:
                self.bad.add_cell(record.place, cell)
                continue
            self._good_rows += 1
            yield row


def rows_with_params(path: Path, rules: RowRules, model: str | None = None) -> Iterator[Row]:
    """A pass over a log that was read before, for what its requests asked for beside their texts.

    Raises:
        InvalidInput: as `Reading.rows`.
    """
    columns = Columns(prompt=rules.prompt_column, length=rules.length_column, has_params=True)
    yield from Reading(path, rules, columns, model=model).rows()
