"""Rows as columns are the rows one by one, with the same counts, notes and errors, whatever the columns hold."""

import string
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.errors import InvalidInput
from traffic.read import Reading
from traffic.reading import judge
from traffic.rows.row import Row
from traffic.rows.row_columns import ROW_COLUMNS, row_columns
from traffic.rows.rules import Columns, RowRules

NUM_ROWS = 24
CHAT = '[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]'
TEXTS = (
    st.none()
    | st.sampled_from(["a", " \u00a0", "\u3000[1]", '"said"', "{", CHAT, "\v[", "", "é🦉"])
    | st.text(max_size=5)
)
WORDS = st.none() | st.sampled_from(["stop", "length", "cut", "nonsense", "abort", '["length"]', "", "null"])
WHOLE = st.none() | st.integers(0, 50)
FLOATS = st.none() | st.floats(width=32) | st.integers(0, 40).map(float)
TIMES = st.none() | st.floats() | st.sampled_from([0.0, 1.5, 1.7e9, 1.7e12, 1.7e15, 1.7e18, -1e11])
DATES = st.none() | st.datetimes(datetime(1, 1, 1), datetime(9999, 1, 1))
COLUMNS = {
    "prompt": [(pa.string(), TEXTS), (pa.large_string(), TEXTS), (pa.dictionary(pa.int32(), pa.string()), TEXTS)],
    "messages": [(pa.string(), st.none() | st.just(CHAT))],
    "prompt_key": [(pa.string(), st.none() | st.just("digest")), (pa.int64(), WHOLE)],
    "output_tokens": [(pa.int32(), WHOLE), (pa.int64(), st.integers(-1, 2 * 10**7)), (pa.float64(), FLOATS)],
    "completion_tokens": [(pa.int64(), WHOLE), (pa.string(), WHOLE.map(str))],
    "response_tokens": [(pa.uint64(), WHOLE | st.just(2**64 - 1))],
    "prompt_tokens": [
        (pa.int16(), WHOLE),
        (pa.float32(), FLOATS),
        (pa.string(), st.sampled_from(["7", "x", "", None])),
    ],
    "finish_reason": [(pa.string(), WORDS), (pa.list_(pa.string()), st.none() | st.lists(WORDS, max_size=2))],
    "stop_reason": [(pa.string(), WORDS), (pa.int64(), st.none() | st.integers(0, 3)), (pa.float64(), FLOATS)],
    "model": [(pa.string(), st.sampled_from(["a", "b", "", None])), (pa.float64(), st.sampled_from([1.0, None]))],
    "task": [(pa.string(), TEXTS), (pa.int64(), WHOLE), (pa.float64(), FLOATS)],
    "params": [
        (pa.string(), st.none() | st.sampled_from(['{"max_tokens": 5}', "{}", "[", '{"tools": [{"name": "f"}]}', "5"])),
        (pa.struct([("n", pa.int64())]), st.none() | st.fixed_dictionaries({"n": WHOLE})),
    ],
    "max_tokens": [(pa.int64(), WHOLE), (pa.float64(), FLOATS), (pa.string(), TEXTS)],
    "tools": [(pa.string(), TEXTS), (pa.list_(pa.string()), st.none() | st.lists(WORDS, max_size=2))],
    "arrival_s": [
        (pa.float64(), TIMES),
        (pa.int64(), st.none() | st.integers(-(2**63), 2**63 - 1)),
        *((pa.timestamp(unit), DATES) for unit in ("s", "ms", "us")),
        (pa.timestamp("us", "Europe/Berlin"), DATES),
        (pa.string(), st.sampled_from(["1", "2026-11-01T12:00:00", "soon", None])),
    ],
}
OUR = Columns("prompt", "output_tokens", "task", "arrival_s", "prompt_tokens", has_params=True)


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    arrays = {}
    for name, kinds in COLUMNS.items():
        if name in ("prompt", "output_tokens") or draw(st.booleans()):
            kind, cells = draw(st.sampled_from(kinds))
            values = draw(st.lists(cells, min_size=NUM_ROWS, max_size=NUM_ROWS))
            arrays[name] = array_of(values, kind)
    return pa.table(arrays)


def array_of(values: list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return pa.array(values, kind.value_type).dictionary_encode()
    if pa.types.is_timestamp(kind):
        return pa.array(values, pa.timestamp("us")).cast(kind, safe=False)
    return pa.array(values, kind)


def told(reading: Reading, rows: pa.Table) -> tuple[Any, ...]:
    counts = (reading.models, reading.num_records, reading.num_rows, reading.bad.count, reading.notes())
    return rows.to_pylist(), counts


def slowly(reading: Reading) -> Any:
    try:
        return told(reading, row_columns((reading.num_records, row) for row in reading.rows()))
    except InvalidInput as error:
        return str(error)


def at_once(reading: Reading) -> Any:
    try:
        return told(reading, pa.concat_tables([ROW_COLUMNS.empty_table(), *reading.batches()]))
    except InvalidInput as error:
        return str(error)


@settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
@given(
    table=tables(),
    share=st.sampled_from([0.0, 1.0]),
    model=st.sampled_from([None, "a"]),
    changes=st.sampled_from([{}, {"needs_arrival": True}, {"prompt": None}, {"length": None}, {"has_params": False}]),
)
def test_batches_are_the_rows(
    tmp_path: Path, table: pa.Table, share: float, model: str | None, changes: dict[str, Any]
) -> None:
    pq.write_table(table, tmp_path / "log.parquet", row_group_size=7)
    columns, rules = OUR._replace(**changes), RowRules(bad_row_share=share)
    readings = [Reading(tmp_path / "log.parquet", rules, columns, (), model) for _ in range(2)]
    assert at_once(readings[0]) == slowly(readings[1])


def test_plain_rows_are_never_python_objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = [*string.ascii_letters, "[not JSON", None]
    table = pa.table({"prompt": prompts, "output_tokens": range(len(prompts))})
    pq.write_table(table, tmp_path / "log.parquet")
    made: list[Row] = []
    make = judge.Judge._made
    monkeypatch.setattr(judge.Judge, "_made", lambda *given: made.append(make(*given)) or made[-1])
    batches = Reading(tmp_path / "log.parquet", RowRules(), OUR).batches()
    assert sum(map(len, batches)) == len(prompts)
    assert [row.text for row in made] == ["[not JSON"]
