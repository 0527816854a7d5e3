"""`traffic/files/`: every format, compressed or not, alone or in a folder, is the same log; what is none says why."""

import bz2
import gzip
import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from registry.errors import InvalidInput
from tests.traffic.logs import Rows, labels
from traffic.describe import DescribeConfig, describe_log
from traffic.files.json_records import WINDOW_CHARACTERS
from traffic.length_log import LengthLogSource, read_length_log
from traffic.served_log import ServedLogSource, read_served_log

ROWS: Rows = [{"prompt": f'Say "{number}",\nand; more é', "output_tokens": 1 + number % 97} for number in range(300)]
EXPECTED = {row["prompt"]: row["output_tokens"] for row in ROWS}

Write = Callable[[Path, Rows], bytes]


def as_parquet(_: Path, rows: Rows) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), sink, row_group_size=7)
    return bytes(sink.getvalue())


def as_json_lines(_: Path, rows: Rows) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


def as_array(_: Path, rows: Rows) -> bytes:
    return json.dumps(rows, ensure_ascii=False, indent=1).encode()


def as_objects(_: Path, rows: Rows) -> bytes:
    return "\r\n".join(json.dumps(row, indent=2) for row in rows).encode()


def as_csv(_: Path, rows: Rows, separator: str = ",") -> bytes:
    return pd.DataFrame(rows).to_csv(index=False, sep=separator).encode("utf-8-sig")


def as_semicolons(path: Path, rows: Rows) -> bytes:
    return as_csv(path, rows, ";")


def as_tabs(path: Path, rows: Rows) -> bytes:
    return as_csv(path, rows, "\t")


def zstd(content: bytes) -> bytes:
    return bytes(pa.compress(content, codec="zstd", asbytes=True))


FORMATS = (as_parquet, as_json_lines, as_array, as_objects, as_csv, as_semicolons, as_tabs)
COMPRESSIONS: tuple[Callable[[bytes], bytes], ...] = (bytes, gzip.compress, zstd, bz2.compress)


def read(path: Path) -> dict[str, float]:
    return labels(read_length_log(LengthLogSource(lengths=path)))


@pytest.mark.parametrize("compress", COMPRESSIONS)
@pytest.mark.parametrize("write", FORMATS)
def test_a_log_is_told_by_its_content_whatever_it_is_called(
    tmp_path: Path, write: Write, compress: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "log"
    path.write_bytes(compress(write(path, ROWS)))
    assert read(path) == EXPECTED


@pytest.mark.parametrize(
    ("name", "write"),
    [
        *(("a.jsonl.gz", as_array), ("a.json", as_json_lines), ("a.ndjson", as_objects), ("a.tsv", as_tabs)),
        *(("a.csv", as_csv), ("a.txt", as_csv), ("a.parquet", as_parquet), ("a.csv.zst", as_parquet)),
    ],
)
def test_an_ending_that_says_something_else_does_no_harm(tmp_path: Path, name: str, write: Write) -> None:
    (tmp_path / name).write_bytes(write(tmp_path, ROWS))
    assert read(tmp_path / name) == EXPECTED


def test_a_folder_is_all_its_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    parts = {"b.csv": as_csv, "a.parquet": as_parquet, "model=x/c.jsonl.gz": as_json_lines, "d": as_array}
    (tmp_path / "model=x").mkdir()
    for number, (name, write) in enumerate(parts.items()):
        content = write(tmp_path, ROWS[number * 75 : (number + 1) * 75])
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    for name in ("README.md", "_SUCCESS", ".part.crc", "empty.jsonl"):
        (tmp_path / name).write_text("" if name != "README.md" else "# About")
    assert read(tmp_path) == EXPECTED
    described = describe_log(DescribeConfig(log=tmp_path))
    assert described.first == ROWS[75]["prompt"]
    assert described.notes == [
        "Files of the folder that hold no rows were ignored: .part.crc, README.md, _SUCCESS, empty.jsonl."
    ]


def test_gzip_in_several_pieces_is_read_to_its_end(tmp_path: Path) -> None:
    halves = [as_json_lines(tmp_path, half) + b"\n" for half in (ROWS[:150], ROWS[150:])]
    (tmp_path / "log.jsonl.gz").write_bytes(b"".join(map(gzip.compress, halves)))
    assert read(tmp_path / "log.jsonl.gz") == EXPECTED


def test_a_record_longer_than_what_is_read_at_once_is_whole(tmp_path: Path) -> None:
    long = [{"prompt": "word " * (WINDOW_CHARACTERS // 2), "output_tokens": 3}, {"prompt": "b", "output_tokens": 4}]
    for write in (as_array, as_objects, as_csv):
        (tmp_path / "log").write_bytes(write(tmp_path, long))
        assert read(tmp_path / "log") == {row["prompt"]: row["output_tokens"] for row in long}


def test_nan_in_an_array_is_a_null(tmp_path: Path) -> None:
    (tmp_path / "log.json").write_text(json.dumps([*ROWS, {"prompt": "none", "output_tokens": float("nan")}]))
    assert read(tmp_path / "log.json") == EXPECTED


TWICE = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"]), pa.array([1])], ["prompt", "prompt", "output_tokens"])


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", b"prompt,prompt,output_tokens\na,b,1\n", "names 'prompt' twice"),
        ("a.jsonl", b'{"prompt": "a", "prompt": "b", "output_tokens": 1}', "line 1 of .* names one twice"),
        ("a.json", b'[{"prompt": "a", "prompt": "b", "output_tokens": 1}]', "item 1 of .* names one twice"),
        (
            "a.jsonl.gz",
            gzip.compress(b'{"prompt": "a"}' * 99, mtime=0)[:-9],
            "cannot be read: Truncated compressed stream",
        ),
        ("a.parquet.gz", gzip.compress(b"PAR1 cut", mtime=0), "must be a parquet file"),
        ("a.parquet", b"PAR1 cut", "must be a parquet file"),
        ("a.jsonl", '{"prompt": "é", "output_tokens": 1}'.encode("latin-1"), "UTF-8 text file, but line 1 is not"),
        ("a.csv", "prompt,output_tokens\né,1".encode("latin-1"), "must be a UTF-8 text file"),
        ("a.jsonl", '{"prompt": "a"}'.encode("utf-16"), "it is UTF-16; save it as UTF-8"),
        ("a.json", b'[{"prompt": "a", "output_tokens": 1},\n{"prompt": "b"', "must be JSON, but it cannot be read"),
        ("a.jsonl", b'{"prompt": "a", "output_tokens": 1}\n{"prompt": "b"\n', "but line 2 is not"),
        ("a.csv", b"prompt,output_tokens\na,1\nb,2,3\n", "the header's 2 cells, but row 2 .* has 3"),
        ("a.csv", b'prompt,output_tokens\n"a,1\n', "must be a CSV file, but it cannot be read"),
        *((name, b"", "is empty") for name in ("a.jsonl", "a.csv", "a.json")),
        ("a.bin", b"PK\x03\x04\x00\x00", "must be parquet, JSON Lines, JSON or CSV, but it is no text"),
        ("a.jsonl", b"<html></html>", "line 1 is not: Expecting value"),
        ("a.json", b"[]", "at least one row"),
        ("a.csv", b"prompt,output_tokens\n", "at least one row"),
    ],
)
def test_a_file_that_is_no_log_is_told_in_one_sentence(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInput, match=told) as raised:
        describe_log(DescribeConfig(log=tmp_path / name))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("start", "middle", "end", "times"), [("", "1", "", 5_000), ("", "[", "", 100_000), ('"', "a\\", '"', 10)]
)
def test_what_pythons_parser_refuses_is_told_in_one_sentence(
    tmp_path: Path, start: str, middle: str, end: str, times: int
) -> None:
    record = f'{{"prompt": "a", "output_tokens": {start}{middle * times}{end}}}'
    for content, told in ((record, "line 1 is not: "), (f"[{record}]", "must be JSON, but it cannot be read: ")):
        (tmp_path / "log").write_text(content)
        with pytest.raises(InvalidInput, match=told):
            describe_log(DescribeConfig(log=tmp_path / "log"))


def test_a_parquet_file_that_names_a_column_twice_is_refused(tmp_path: Path) -> None:
    pq.write_table(TWICE, tmp_path / "log.parquet")
    with pytest.raises(InvalidInput, match="names 'prompt' twice; rename one of them"):
        describe_log(DescribeConfig(log=tmp_path / "log.parquet"))


@pytest.mark.parametrize("name", [None, "notes.md", ".hidden.jsonl"])
def test_a_folder_without_a_log_is_refused(tmp_path: Path, name: str | None) -> None:
    if name:
        (tmp_path / name).write_text('{"prompt": "a", "output_tokens": 1}')
    with pytest.raises(InvalidInput, match="a folder must hold parquet, JSON Lines, JSON or CSV files with rows"):
        describe_log(DescribeConfig(log=tmp_path))


def test_broken_lines_are_bad_rows_like_others(tmp_path: Path) -> None:
    content = (
        as_json_lines(tmp_path, ROWS)
        + b'\n{"prompt": \n[1]\n'
        + json.dumps({"prompt": "x", "output_tokens": -1}).encode()
    )
    (tmp_path / "log.jsonl").write_bytes(content)
    with pytest.raises(InvalidInput, match="3 of 303 rows are bad"):
        read(tmp_path / "log.jsonl")
    log = read_length_log(LengthLogSource(lengths=tmp_path / "log.jsonl", bad_row_share=0.01))
    assert labels(log) == EXPECTED
    assert (log.counts.rows, log.counts.labelled, log.counts.bad_rows) == (303, 300, 3)
    assert log.notes[0].startswith("3 bad rows were left out; the first: each line of ")


TYPES = {
    "decimal": pa.array([Decimal(f"{n + 1}.00") for n in range(40)], pa.decimal128(10, 2)),
    "float32": pa.array([float(n + 1) for n in range(40)], pa.float32()),
    "uint64": pa.array(range(1, 41), pa.uint64()),
    "text": pa.array([str(n + 1) for n in range(40)]),
}


@pytest.mark.parametrize("tokens", TYPES.values(), ids=list(TYPES))
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.dictionary(pa.int32(), pa.string())])
def test_columns_of_every_type_are_read(tmp_path: Path, tokens: pa.Array, kind: pa.DataType) -> None:
    prompts = pa.array([f"p{n}" for n in range(40)]).cast(kind)
    reasons = pa.array([{"type": "length" if n % 2 else "stop"} for n in range(40)])
    columns = {"prompt": prompts, "output_tokens": tokens, "finish_reason": reasons, "arrival_s": pa.nulls(40)}
    pq.write_table(pa.table(columns), tmp_path / "log.parquet")
    found = describe_log(DescribeConfig(log=tmp_path / "log.parquet"))
    assert (found.labelled, found.censored, found.first) == (40, 20, "p0")


@pytest.mark.parametrize("kind", [pa.timestamp("ns"), pa.timestamp("us", "Europe/Berlin"), pa.timestamp("ms")])
def test_times_of_every_type_are_arrivals(tmp_path: Path, kind: pa.DataType) -> None:
    times = pa.array([datetime(2026, 11, 1, 12, 0, second, 500_000) for second in range(40)], pa.timestamp("us"))
    columns = {"arrival_s": times.cast(kind), "output_tokens": list(range(1, 41)), "prompt_tokens": [1] * 40}
    pq.write_table(pa.table(columns), tmp_path / "a")
    assert read_served_log(ServedLogSource(log=tmp_path / "a")).arrival_s.tolist() == list(range(40))
