"""The one reader of logs: a file or a folder, of our own form or another tool's, as rows of traffic, one at a time."""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from registry.errors import InvalidInput
from traffic.adapters.adapter import Adapter
from traffic.adapters.sources import source_of
from traffic.cells.amounts import amount_of
from traffic.cells.answer_tokens import count_tokens, load_tokenizer
from traffic.cells.bad_cell import BadCell
from traffic.cells.conversations import MESSAGES, NOTHING, Prompt, prompt_of
from traffic.cells.counts import tokens_of
from traffic.cells.endings import ending_of
from traffic.cells.names import name_of
from traffic.cells.params import params_of
from traffic.cells.times import arrival_of
from traffic.files.log_files import LogFile, log_files
from traffic.files.records import first_values, records_of
from traffic.notes.tally import Tally
from traffic.rows.bad_rows import BadRows
from traffic.rows.record import Record, Values
from traffic.rows.row import Row
from traffic.rows.rules import (
    AMOUNT_COLUMNS,
    ENDING_COLUMNS,
    LENGTH_COLUMNS,
    MODEL,
    NAME_COLUMNS,
    Columns,
    Need,
    RowRules,
)

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
        self._tokenizer = load_tokenizer(rules.tokenizer) if rules.tokenizer else None
        self._tally = Tally()
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
        return [*self._told, *bad, *self._tally.notes()]

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
            self._require_columns(self._tally.answers_in_messages > 0)

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
                row = self._row(record.values, columns, model)
            except BadCell as cell:
                self.bad.add_cell(record.place, cell)
                continue
            self._good_rows += 1
            yield row

    def _row(self, values: Values, columns: Columns, model: str | None) -> Row:
        prompt = _prompt(values, columns.prompt, columns.has_messages) if columns.prompt else NOTHING
        output_tokens = self._output_tokens(values, columns.length, prompt) if columns.length else None
        ending = ending_of(next((values[name] for name in ENDING_COLUMNS if values.get(name) is not None), None))
        self._tally.see_prompt(prompt)
        self._tally.see_ending(ending, output_tokens)
        row = Row(
            text=prompt.text,
            output_tokens=output_tokens,
            ending=ending.ending,
            model=model,
            group=name_of(values.get(columns.group)) if columns.group else None,
            arrival_s=self._arrival_s(values, columns, bool(output_tokens)) if columns.arrival else None,
            prompt_tokens=tokens_of(values.get(columns.prompt_tokens), columns.prompt_tokens)
            if columns.prompt_tokens
            else None,
            params=params_of(values) if columns.has_params else None,
            messages=prompt.messages,
            is_ending_said=ending.is_said,
        )
        return row._replace(**_details(values)) if columns.has_details else row

    def _output_tokens(self, values: Values, column: str, prompt: Prompt) -> int | None:
        tokens = tokens_of(values.get(column), column)
        if tokens is None and column == LENGTH_COLUMNS[0]:
            tokens = self._of_other_column(values)
        if tokens is not None or not prompt.answer:
            return tokens
        if self._tokenizer is None:
            self._tally.uncounted_answers += 1
            return None
        return count_tokens(self._tokenizer, prompt.answer)

    def _of_other_column(self, values: Values) -> int | None:
        for name in LENGTH_COLUMNS[1:]:
            if name in values and (tokens := tokens_of(values[name], name)) is not None:
                self._tally.other_columns[name] += 1
                return tokens
        return None

    def _arrival_s(self, values: Values, columns: Columns, is_answered: bool) -> float | None:
        assert columns.arrival is not None
        is_needed = columns.needs_arrival and (is_answered or not columns.length)
        arrival = arrival_of(values.get(columns.arrival), columns.arrival, is_needed)
        self._tally.see_arrival(arrival)
        return None if arrival is None else arrival.seconds


def rows_with_params(path: Path, rules: RowRules, model: str | None = None) -> Iterator[Row]:
    """A pass over a log that was read before, for what its requests asked for beside their texts.

    Raises:
        InvalidInput: as `Reading.rows`.
    """
    columns = Columns(prompt=rules.prompt_column, length=rules.length_column, has_params=True)
    yield from Reading(path, rules, columns, model=model).rows()


def _prompt(values: Values, column: str, with_messages: bool) -> Prompt:
    """The prompt of its column, or of the chat beside it where that is empty or, being text, holds a chat itself.

    Of a chat whose only turn quotes another chat, the text alone would be taken for what it quotes.
    """
    prompt = prompt_of(values.get(column), column)
    if column == MESSAGES or values.get(MESSAGES) is None:
        return prompt
    if prompt is not NOTHING and not prompt.was_text and not with_messages:
        return prompt
    beside = prompt_of(values[MESSAGES], MESSAGES)
    if prompt is NOTHING or (prompt.was_text and beside.text is not None):
        return beside
    return prompt._replace(messages=beside.messages)


def _details(values: Values) -> dict[str, Any]:
    names = {name: name_of(values.get(name)) for name in NAME_COLUMNS}
    amounts = {name: amount_of(values.get(name), name) for name in AMOUNT_COLUMNS}
    reasoning_tokens = tokens_of(values.get("reasoning_tokens"), "reasoning_tokens")
    return {**names, **amounts, "reasoning_tokens": reasoning_tokens}
