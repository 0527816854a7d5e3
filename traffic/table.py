"""The file of a length log as columns of plain Python values: parquet or JSON Lines."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from registry.errors import InvalidInput

Columns = dict[str, list[Any]]


def read_columns(path: Path, required: Sequence[str], optional: Sequence[str]) -> Columns:
    """Read the required columns, and the optional ones that are there.

    Raises:
        InvalidInput: not a readable parquet or JSON Lines file, or a required column is missing.
    """
    if not path.is_file():
        raise InvalidInput(f"a length log must be a parquet or JSON Lines file, but there is no file {path}.")
    if path.suffix == ".parquet":
        return _read_parquet(path, required, optional)
    if path.suffix in {".jsonl", ".ndjson", ".json"}:
        return _read_json_lines(path, required, optional)
    raise InvalidInput(f"a length log must end in .parquet or .jsonl, but got {path.name!r}.")


def parquet_columns(path: Path) -> list[str]:
    """Names of the columns of a parquet file.

    Raises:
        InvalidInput: it cannot be read.
    """
    with _readable(path):
        return list(pq.read_schema(path).names)


def _read_parquet(path: Path, required: Sequence[str], optional: Sequence[str]) -> Columns:
    there = parquet_columns(path)
    _check_there(path, required, there)
    wanted = [name for name in dict.fromkeys([*required, *optional]) if name in there]
    with _readable(path):
        table = pq.ParquetFile(path).read(wanted)
    return {name: table.column(name).to_pylist() for name in table.column_names}


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise InvalidInput(f"{path} must be a parquet file, but it cannot be read: {error}") from error


def _read_json_lines(path: Path, required: Sequence[str], optional: Sequence[str]) -> Columns:
    with path.open(encoding="utf-8-sig") as file:
        try:
            rows = [_parse(path, number, line) for number, line in enumerate(file, 1) if line.strip()]
        except UnicodeDecodeError as error:
            raise InvalidInput(f"{path} must be a UTF-8 text file, but it is not: {error}.") from error
    there = list(dict.fromkeys(name for row in rows for name in row))
    _check_there(path, required, there)
    wanted = [name for name in dict.fromkeys([*required, *optional]) if name in there]
    return {name: [row.get(name) for row in rows] for name in wanted}


def _parse(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise InvalidInput(f"each line of {path} must be a JSON object, but line {number} is not: {error}.") from error
    if not isinstance(row, dict):
        raise InvalidInput(f"each line of {path} must be a JSON object, but line {number} holds {line.strip()[:60]!r}.")
    return row


def _check_there(path: Path, required: Sequence[str], there: Sequence[str]) -> None:
    missing = [name for name in required if name not in there]
    if missing:
        raise InvalidInput(
            f"{path} must have the column {', '.join(map(repr, missing))}, but its columns are"
            f" {', '.join(map(repr, there)) or '(none)'}; choose with prompt_column, length_column or group_column."
        )
