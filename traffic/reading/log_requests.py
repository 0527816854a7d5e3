"""The requests of a log: records of our own form as they are, and what adapters make of other tools'."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from registry.errors import InvalidInput
from traffic.adapters.adapter import Adapter
from traffic.adapters.remarks import Remarks
from traffic.adapters.sources import SOURCES, source_of
from traffic.cells.conversations import MESSAGES
from traffic.files.log_files import LogFile, log_files
from traffic.files.parquet_records import Block, parquet_blocks
from traffic.files.records import first_records, records_of
from traffic.rows.bad_rows import BadRows
from traffic.rows.record import Record, Values
from traffic.rows.rules import Columns, Need

FORMATS_WITH_COLUMNS = ("parquet", "CSV")
SHOWN = 5

Files = Mapping[Adapter | None, Sequence[LogFile]]


class Requests(NamedTuple):
    """What one source has."""

    source: Adapter | None
    """None for our own form."""
    parts: Iterator[Block | Iterator[Record]]
    """Blocks of files that have columns, and the records of others."""

    def records(self) -> Iterator[Record]:
        """All of them, one at a time."""
        for part in self.parts:
            yield from part.records() if isinstance(part, Block) else part


class LogRequests:
    """One pass over the files of a log; of one partitioned by target LLM, over those of this model."""

    def __init__(
        self, path: Path, columns: Columns, needs: Sequence[Need], bad: BadRows, model: str | None = None
    ) -> None:
        self.other_models: frozenset[str | None] = frozenset()
        """The target LLMs whose folders were not looked into."""
        self._model = model
        self._path = path
        self._columns = columns
        self._needs = needs
        self._bad = bad
        self._ignored: Sequence[str] = ()
        self._names: dict[str, None] = {}
        self._remarks: dict[str, Remarks] = {}

    def by_source(self, held_answers: Callable[[], bool]) -> Iterator[Requests]:
        """The requests of each source; `held_answers` says at their end whether chats had some.

        Raises:
            InvalidInput: a file cannot be read, or a column is missing.
        """
        files, self._ignored, other_models = log_files(self._path, self._model)
        self.other_models = frozenset(other_models)
        for source, its_files in self._sorted(files).items():
            if source is None:
                yield Requests(None, self._own(its_files, held_answers))
            else:
                yield Requests(source, iter([self._adapted(source, its_files)]))

    @property
    def num_misfits(self) -> int:
        """Records so far that have not the form of their file's source; they are left out."""
        return sum(remarks.misfits.count for remarks in self._remarks.values())

    def remarks(self, source: str) -> Remarks:
        """What is remarked of a source."""
        if source not in self._remarks:
            self._remarks[source] = Remarks(source)
            self._remarks[source].misfits.tell = self._bad.tell
        return self._remarks[source]

    def notes(self) -> Iterator[str]:
        """What a user should know: sentences."""
        if self._ignored:
            more = f" and {len(self._ignored) - SHOWN:,} more" if len(self._ignored) > SHOWN else ""
            yield f"Files of the folder that hold no rows were ignored: {', '.join(self._ignored[:SHOWN])}{more}."
        for remarks in self._remarks.values():
            yield from remarks.notes()

    def _sorted(self, files: Iterable[LogFile]) -> Files:
        """The files of each source together, since what one of them asks another may answer.

        Those of no form that is known are counted where others of the folder are known, else refused for their columns.
        """
        found: dict[Adapter | None, list[LogFile]] = {}
        strange: list[LogFile] = []
        for file in files:
            records = first_records(file)
            source = source_of(self._until_own(records))
            if source is None and records and not any(map(self._can_be_own, records)):
                strange.append(file)
                continue
            found.setdefault(source, []).append(file)
            if source is None:
                self._names |= {name: None for values in records for name in values}
        if found:
            self._count(strange)
        return found or {None: strange}

    def _count(self, strange: Sequence[LogFile]) -> None:
        remarks = self.remarks("a source that is known")
        for file in strange:
            for record in records_of(file, remarks.misfits):
                remarks.add_misfit(record)

    def _until_own(self, records: Sequence[Values]) -> Iterator[Values]:
        """The records before the first that has the columns which a user chose, or those of our own form."""
        for values in records:
            if self._columns.length in values and {self._columns.prompt, MESSAGES} & values.keys():
                return
            yield values

    def _can_be_own(self, values: Values) -> bool:
        return not self._needs or any({*need.names} & values.keys() for need in self._needs)

    def _adapted(self, source: Adapter, files: Sequence[LogFile]) -> Iterator[Record]:
        remarks = self.remarks(source.source)
        wanted = {*source.columns, *filter(None, [self._columns.group])}
        records = (record for file in files for record in records_of(file, remarks.misfits, wanted))
        return source.requests(_fitting(source, records, remarks), remarks)

    def _own(self, files: Sequence[LogFile], held_answers: Callable[[], bool]) -> Iterator[Block | Iterator[Record]]:
        """What is of our own form, in which no column may be missing; JSON knows its columns only at its end."""
        has_columns = all(file.format in FORMATS_WITH_COLUMNS for file in files)
        if has_columns and self._names:
            self._require_columns(MESSAGES in self._names)
        for file in (file.grown for file in files):
            if file.format == "parquet":
                yield from parquet_blocks(file, self._columns.wanted)
            else:
                yield self._named(records_of(file, self._bad, self._columns.wanted))
        if self._names:
            self._require_columns(held_answers())

    def _named(self, records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            if not record.values.keys() <= self._names.keys():
                self._names |= dict.fromkeys(record.values)
            yield record

    def _require_columns(self, can_hold_answers: bool) -> None:
        """Refuse a log that lacks a column, unless it is the length's and the answers themselves are there."""
        missing = [need for need in self._needs if not {*need.names} & self._names.keys()]
        if can_hold_answers:
            missing = [need for need in missing if self._columns.length not in need.names]
        if missing:
            known = ", ".join(source.source for source in SOURCES)
            raise InvalidInput(
                f"{self._path} must have the column {', '.join(need.words for need in missing)}, but its columns are"
                f" {', '.join(map(repr, self._names))}; choose with prompt_column, length_column, ..., or give a log of"
                f" {known}."
            )


def _fitting(source: Adapter, records: Iterable[Record], remarks: Remarks) -> Iterator[Record]:
    for record in records:
        if source.recognises(record.values):
            yield record
        else:
            remarks.add_misfit(record)
