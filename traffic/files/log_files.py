"""Which files a log is made of, and what each is: told by its first bytes, and by its name where they do not tell."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePath
from typing import BinaryIO, Literal, NamedTuple, Self, cast

import pyarrow as pa

from registry.errors import InvalidInput
from traffic.files.partitions import partition_of
from traffic.rows.rules import MODEL

Format = Literal["parquet", "JSON Lines", "JSON", "CSV"]
COMPRESSIONS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2"}
PARQUET = b"PAR1"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
HEAD_BYTES = 1 << 16

DATA_SUFFIXES = frozenset({".parquet", ".pq", ".jsonl", ".ndjson", ".json", ".csv", ".tsv"})
JSON_SUFFIXES = frozenset({".jsonl", ".ndjson", ".json"})
GROWING_SUFFIX = ".open.jsonl"
"""Of a file that a server's journal appends to; it becomes parquet of the same name."""
ABOUT_THE_LOG = "_about"
"""The folder in which an import says what it did: no rows, and nothing that a user need be told of."""
COMPRESSED_SUFFIXES = frozenset({".gz", ".gzip", ".zst", ".zstd", ".bz2"})


@dataclass(frozen=True)
class LogFile:
    """One file that holds rows."""

    path: Path
    format: Format
    compression: str | None
    name: str | None = None
    """How errors call it, where it is one of several."""

    @property
    def is_growing(self) -> bool:
        """Whether a server may be appending to it, so that its last line may not be whole."""
        return self.path.name.endswith(GROWING_SUFFIX)

    @property
    def grown(self) -> Self:
        """The same rows where they stand now: a file that has grown enough becomes parquet."""
        rolled = _rolled(self.path)
        if self.is_growing and rolled.exists():
            return replace(self, path=rolled, format="parquet")
        return self

    @cached_property
    def partition(self) -> dict[str, str | None]:
        """The columns that it has by the folders in which it lies."""
        return partition_of(self.path.absolute())

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The bytes, decompressed as they are read.

        Raises:
            InvalidInput: they cannot be read to their end.
        """
        with readable(self.path, self.format), opened(self.path, self.compression) as stream:
            yield stream

    @contextmanager
    def open_text(self) -> Iterator[io.TextIOWrapper]:
        """The text, its lines as they are; halves of characters come through, and are mended where a cell is read.

        Raises:
            InvalidInput: it cannot be read to its end, or is not UTF-8.
        """
        with self.open() as stream:
            text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogatepass", newline="")
            try:
                yield text
            finally:
                text.detach()


class LogFiles(NamedTuple):
    """What a log is made of."""

    files: list[LogFile]
    """In the order of their names."""
    ignored: list[str]
    """The names of files of the folder that hold no rows."""
    other_models: set[str | None]
    """The target LLMs whose folders were not looked into; None for rows of no named one."""


def log_files(path: Path, model: str | None = None) -> LogFiles:
    """The files of a log; where it is partitioned by target LLM, those of this one alone.

    Raises:
        InvalidInput: there is no such file or folder, or none in it that holds rows.
    """
    if path.is_dir():
        return _of_folder(path, model)
    if not path.is_file():
        raise InvalidInput(f"a log must be a file or a folder of files, but there is no file {path}.")
    file = recognised(path)
    if file is None:
        raise InvalidInput(f"a log must hold at least one row, but {path} is empty.")
    return LogFiles([file], [], set())


def recognised(path: Path, name: str | None = None) -> LogFile | None:
    """What a file is; None if it is empty.

    Raises:
        InvalidInput: it is neither parquet nor text in UTF-8.
    """
    with readable(path, "parquet, JSON Lines, JSON or CSV"):
        with path.open("rb") as raw:
            magic = raw.read(4)
        compression = next((one for mark, one in COMPRESSIONS.items() if magic.startswith(mark)), None)
        with opened(path, compression) as stream:
            head = stream.read(HEAD_BYTES)
    if not head.strip():
        return None
    return LogFile(path, _format(head, path), compression, name)


@contextmanager
def readable(path: Path, kind: str) -> Iterator[None]:
    """Turn what a library says of a broken file into a sentence.

    Raises:
        InvalidInput: it cannot be read.
    """
    try:
        yield
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} must be a UTF-8 text file, but it is not: {error}.") from error
    except (pa.ArrowException, OSError, EOFError) as error:
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InvalidInput(f"{path} must be a {kind} file, but it cannot be read: {told.rstrip('.')}.") from error


@contextmanager
def opened(path: Path, compression: str | None) -> Iterator[BinaryIO]:
    """The bytes of a file, decompressed."""
    if compression is None:
        with path.open("rb") as plain:
            yield plain
        return
    with pa.input_stream(str(path), compression=compression) as stream:
        yield cast(BinaryIO, io.BufferedReader(stream))


def _of_folder(folder: Path, model: str | None) -> LogFiles:
    found = LogFiles([], [], set())
    for path in sorted(one for one in folder.rglob("*") if one.is_file() and not _is_left_alone(one, folder)):
        name = path.relative_to(folder).as_posix()
        partition = partition_of(PurePath(name))
        if model is not None and partition.get(MODEL, model) != model:
            found.other_models.add(partition[MODEL])
        elif (file := recognised(path, name) if _holds_data(path, name) else None) is not None:
            found.files.append(file)
        elif not name.startswith(f"{ABOUT_THE_LOG}/"):
            found.ignored.append(name)
    if not found.files and not found.other_models:
        raise InvalidInput(
            f"a folder must hold parquet, JSON Lines, JSON or CSV files with rows, but {folder} has none"
            + (f", only {', '.join(found.ignored[:5])}." if found.ignored else ".")
        )
    return found


def _is_left_alone(path: Path, folder: Path) -> bool:
    """Whether a file is no row's: a program keeps it in a hidden folder, or its rows have moved."""
    is_kept_apart = any(part.startswith(".") for part in path.relative_to(folder).parent.parts)
    return is_kept_apart or (path.name.endswith(GROWING_SUFFIX) and _rolled(path).exists())


def _holds_data(path: Path, name: str) -> bool:
    """Whether a file of a folder is one of the log's: by its name, or by its content where the name has no ending."""
    if any(part.startswith((".", "_")) for part in Path(name).parts):
        return False
    suffix = data_suffix(path)
    if suffix:
        return suffix in DATA_SUFFIXES
    with readable(path, "data"), path.open("rb") as file:
        return file.read(HEAD_BYTES).lstrip()[:1] in (b"{", b"[", b"P")


def _rolled(path: Path) -> Path:
    return path.with_name(f"{path.name.removesuffix(GROWING_SUFFIX)}.parquet")


def data_suffix(path: Path) -> str:
    """The ending of a name, without that of its compression."""
    suffixes = [one.lower() for one in path.suffixes]
    if suffixes and suffixes[-1] in COMPRESSED_SUFFIXES:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _format(head: bytes, path: Path) -> Format:
    suffix = data_suffix(path)
    if head.startswith(PARQUET) or suffix in {".parquet", ".pq"}:
        return "parquet"
    if head.startswith(UTF_16_MARKS):
        raise InvalidInput(f"{path} must be a UTF-8 text file, but it is UTF-16; save it as UTF-8.")
    if b"\0" in head:
        raise InvalidInput(f"{path} must be parquet, JSON Lines, JSON or CSV, but it is no text.")
    text = head.removeprefix(BYTE_ORDER_MARK).lstrip()
    if suffix in {".csv", ".tsv"} or (suffix not in JSON_SUFFIXES and text[:1] not in (b"{", b"[")):
        return "CSV"
    return "JSON" if text[:1] == b"[" or _spans_lines(text) else "JSON Lines"


def _spans_lines(text: bytes) -> bool:
    """Whether the first object goes on after its first line, as where people are to read it."""
    first, line_break, _ = text.partition(b"\n")
    return bool(line_break) and first.rstrip()[-1:] in (b"{", b"[", b",", b":")
