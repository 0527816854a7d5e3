"""From a segment that nobody appends to any more to a file of parquet: whole, or not at all."""

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.json
import pyarrow.parquet as pq

from serving.journal.files.segment import BEING_MADE, running_beside
from serving.journal.journal_columns import JOURNAL
from serving.journal.keys import KEPT_APART
from traffic.files.log_files import GROWING_SUFFIX

KILLED = {"ending": "aborted", "ended_by": "killed"}


def roll(segment: Path) -> int:
    """Write a segment's rows as parquet of the same name, and remove it; how many broken lines were left out.

    Raises:
        OSError: the folder cannot be written.
    """
    lines = segment.read_bytes()
    whole = lines[: lines.rfind(b"\n") + 1]
    num_broken = int(len(whole) < len(lines))  # what was being written when its process was killed
    rows, num_unreadable = _rows(whole)
    rows = pa.concat_tables([rows, _killed(segment, rows)])
    if len(rows):
        write_parquet(rows, segment.with_name(segment.name.removesuffix(GROWING_SUFFIX) + ".parquet"))
    for path in (segment, running_beside(segment)):
        path.unlink(missing_ok=True)
    return num_broken + num_unreadable


def _killed(segment: Path, ended: pa.Table) -> pa.Table:
    """Of the requests that ran while a segment was written those that have not ended: they died with their process."""
    notes = running_beside(segment)
    if not notes.exists():
        return JOURNAL.empty_table()
    lines = notes.read_bytes()
    ran, _ = _rows(lines[: lines.rfind(b"\n") + 1])
    have_ended = set(ended["request_id"].to_pylist())
    killed = [row | KILLED for row in ran.to_pylist() if row["request_id"] not in have_ended]
    return pa.Table.from_pylist(killed, JOURNAL)


def write_parquet(rows: pa.Table, path: Path) -> None:
    """Replace a file of rows in one step; nobody but its owner may read it.

    Raises:
        OSError: it cannot be written; the file is as it was.
    """
    beside = path.parent / KEPT_APART / f"{BEING_MADE}{path.name}"
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            pq.write_table(rows, file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        beside.rename(path)
    finally:
        beside.unlink(missing_ok=True)


def _rows(lines: bytes) -> tuple[pa.Table, int]:
    """Parsed by Arrow, which lets other threads go on; a disk that lost its power may have left what it refuses."""
    if not lines:
        return JOURNAL.empty_table(), 0
    try:
        return _parsed(lines), 0
    except pa.ArrowException:
        readable = [line for line in lines.splitlines(keepends=True) if _is_row(line)]
        return _parsed(b"".join(readable)) if readable else JOURNAL.empty_table(), lines.count(b"\n") - len(readable)


def _parsed(lines: bytes) -> pa.Table:
    return pa.json.read_json(
        pa.BufferReader(lines),
        pa.json.ReadOptions(use_threads=False, block_size=len(lines) + 1),
        pa.json.ParseOptions(explicit_schema=JOURNAL, unexpected_field_behavior="ignore"),
    )


def _is_row(line: bytes) -> bool:
    try:
        row = json.loads(line)
        pa.Table.from_pylist([row], JOURNAL)
    except (ValueError, TypeError, pa.ArrowException):
        return False
    return isinstance(row, dict)
