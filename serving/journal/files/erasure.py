"""Forget somebody: the rows of an identity leave the journal, also while servers write it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from registry.errors import InvalidInput
from serving.journal.files.journal_folder import locked, turn
from serving.journal.files.rolling import roll, write_parquet
from serving.journal.files.segment import abandoned, segments
from serving.journal.keys import KEPT_APART, KEY_FILE, Identity, Keys, find_keys

TURN_LIMIT_S = 30.0
COLUMNS: Mapping[Identity, tuple[str, ...]] = {
    "request": ("request_id",),
    "prompt": ("prompt", "prompt_key"),
    "system": ("system_key",),
    "session": ("session",),
    "tenant": ("tenant",),
    "model": ("model",),
}
"""Where an identity stands, as it is or as its digest."""


@dataclass
class Erased:
    """What has left."""

    rows: int = 0
    files: int = 0
    """Files that were written anew, or that held nothing else."""


def erase(folder: Path, identities: Mapping[Identity, str], secret: str | None) -> Erased:
    """Remove the rows that have all of these identities, each given as it is or as its digest.

    Files are replaced one by one, each in one step. What is answered from now on is noted anew.

    Raises:
        InvalidInput: there is no journal, or a server does not begin a new segment.
        OSError: the folder cannot be written.
    """
    if not (folder / KEPT_APART).is_dir():
        raise InvalidInput(f"a journal is a folder that a server has made, but {folder} is none.")
    keys = find_keys(folder, secret) if secret or (folder / KEPT_APART / KEY_FILE).exists() else None
    _let_go(folder)
    erased = Erased()
    with locked(folder):
        for path in segments(folder):
            with abandoned(path) as is_abandoned:
                if is_abandoned:
                    roll(path)
        for path in sorted(folder.glob("*.parquet")):
            _erase_in(path, identities, keys, erased)
    return erased


def _let_go(folder: Path) -> None:
    """Have those who write begin new segments, so that the old ones can be changed."""
    written = segments(folder)
    turn(folder)
    deadline_s = time.monotonic() + TURN_LIMIT_S
    for path in written:
        while _is_written(path):
            if time.monotonic() > deadline_s:
                raise InvalidInput(
                    f"a server must let go of {path} within {TURN_LIMIT_S:g} s, but does not: stop it and try again."
                )
            time.sleep(0.05)


def _is_written(path: Path) -> bool:
    with abandoned(path) as is_abandoned:
        return path.exists() and not is_abandoned


def _erase_in(path: Path, identities: Mapping[Identity, str], keys: Keys | None, erased: Erased) -> None:
    with pq.ParquetFile(path) as file:
        rows = file.read()
    goes = _goes(rows, identities, keys)
    num_rows = pc.sum(goes).as_py() or 0
    if not num_rows:
        return
    if num_rows == len(rows):
        path.unlink()
    else:
        write_parquet(rows.filter(pc.invert(goes)), path)
    erased.rows += num_rows
    erased.files += 1


def _goes(rows: pa.Table, identities: Mapping[Identity, str], keys: Keys | None) -> pa.ChunkedArray:
    goes = pa.chunked_array([pa.repeat(True, len(rows))])
    for identity, given in identities.items():
        wanted = [given, *([keys.of(identity, given)] if keys is not None else [])]
        goes = pc.and_(goes, _holds(rows, COLUMNS[identity], wanted))
    return goes


def _holds(rows: pa.Table, columns: tuple[str, ...], wanted: list[str]) -> pa.ChunkedArray:
    found = pa.chunked_array([pa.repeat(False, len(rows))])
    for name in columns:
        if name in rows.column_names:
            column = rows[name]
            is_wanted = pc.is_in(column, value_set=pa.array(wanted, column.type))
            found = pc.or_(found, is_wanted)
    return found
