"""From any log that is understood to a folder of parquet: one pass, whose memory does not grow with the rows."""

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from registry.errors import InvalidInput
from traffic.files.log_files import ABOUT_THE_LOG
from traffic.importing.bad_row_table import bad_row_table
from traffic.importing.partitioned_rows import PartitionedRows
from traffic.importing.whole_folder import whole_folder
from traffic.read import Reading
from traffic.rows.rules import ARRIVAL_COLUMN, PROMPT_TOKENS_COLUMN, Columns, RowRules, any_needs

BAD_ROWS, SUMMARY = "bad_rows.csv", "summary.json"


@dataclass(frozen=True, kw_only=True)
class ImportConfig(RowRules):
    """Which log, read how, and where to."""

    log: Path
    """The log: a file or a folder, as for a training."""
    out: Path
    """Folder to make, or an empty one: parquet that every command takes as a log, a folder for each target LLM, so that
    `model=NAME` reads no row of another one."""
    arrival_column: str = ARRIVAL_COLUMN
    """Column of the arrival, if there is one."""
    prompt_tokens_column: str = PROMPT_TOKENS_COLUMN
    """Column of the prompt's tokens, if there is one."""


@dataclass(frozen=True)
class Imported:
    """What an import did."""

    out: str
    rows: int
    """Rows that were written."""
    targets: dict[str, int]
    """Those of each target LLM that is named, most rows first."""
    labelled: int
    """Rows from which a ranker can learn."""
    left_out: dict[str, int]
    """Rows that were written and that no training will count, by the reason why."""
    bad_rows: int
    """Rows that were not written; each stands in the folder's `_about/bad_rows.csv`."""
    files: int
    notes: list[str]
    """What a user should know: sentences."""


def import_log(config: ImportConfig) -> Imported:
    """Write the rows of a log into a new folder, which is there whole or not at all.

    Raises:
        InvalidInput: the log cannot be read, too many of its rows are bad, or there is such a folder already.
    """
    reading = _reading(config)
    with whole_folder(config.out) as folder:
        bad_rows = folder / ABOUT_THE_LOG / BAD_ROWS
        bad_rows.parent.mkdir()
        with (
            _kept_if_refused(bad_rows, reading, config.out),
            bad_row_table(bad_rows, reading.bad, config.log, config.prompt_column),
            PartitionedRows(folder) as files,
        ):
            targets, left_out = _write(reading, files)
        imported = Imported(
            out=str(config.out),
            rows=targets.total(),
            targets={name: rows for name, rows in targets.most_common() if name is not None},
            labelled=targets.total() - left_out.total(),
            left_out=dict(left_out.most_common()),
            bad_rows=reading.bad.count + reading.num_misfits,
            files=files.num_files,
            notes=reading.notes(),
        )
        (bad_rows.parent / SUMMARY).write_text(json.dumps(asdict(imported), indent=2), encoding="utf-8")
    return imported


def _reading(config: ImportConfig) -> Reading:
    columns = Columns(
        prompt=config.prompt_column,
        length=config.length_column,
        arrival=config.arrival_column,
        prompt_tokens=config.prompt_tokens_column,
        has_params=True,
        has_messages=True,
        has_details=True,
    )
    return Reading(config.log, config, columns, any_needs(config, config.prompt_tokens_column))


def _write(reading: Reading, files: PartitionedRows) -> tuple[Counter[str | None], Counter[str]]:
    """Write all rows; return how many each target LLM has, and how many have no label, by the reason why."""
    targets: Counter[str | None] = Counter()
    left_out: Counter[str] = Counter()
    for row in reading.rows():
        files.add(row)
        targets[row.model] += 1
        if row.left_out is not None:
            left_out[row.left_out] += 1
    return targets, left_out


@contextmanager
def _kept_if_refused(bad_rows: Path, reading: Reading, out: Path) -> Iterator[None]:
    """Where a log is refused for its bad rows, their table is kept, under a name that no reader takes for data."""
    try:
        yield
    except InvalidInput as error:
        if reading.bad.count < 2:
            raise
        kept = out.absolute().parent / f"_{out.name}.{BAD_ROWS}"
        shutil.move(bad_rows, kept)
        raise InvalidInput(f"{error}\nAll bad rows stand in {kept}.") from error
