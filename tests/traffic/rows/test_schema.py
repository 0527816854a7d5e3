import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from registry.errors import InvalidInput
from serving.journal.journal_columns import JOURNAL
from traffic.read import Reading
from traffic.rows.row import Row
from traffic.rows.rules import DETAIL_COLUMNS, Columns, RowRules
from traffic.rows.schema import TRAFFIC, record_of

CHAT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why is the sky blue?"}]
ROW = Row(
    text="system: Be brief.\n\nuser: Why is the sky blue?",
    output_tokens=12,
    ending="cut",
    model="llama",
    arrival_s=1.5,
    prompt_tokens=9,
    params={"max_tokens": 12, "temperature": 0.7, "tools": [{"type": "function"}]},
    messages=CHAT,
    request_id="r-1",
    session="s-1",
    tenant="t-1",
    reasoning_tokens=3,
    time_to_first_token_s=0.25,
    end_to_end_s=2.5,
    predicted_tokens=14.5,
    ranker_version="7",
)
COLUMNS = Columns("prompt", "output_tokens", None, "arrival_s", "prompt_tokens")
ALL = COLUMNS._replace(has_params=True, has_messages=True, has_details=True)


def read(path: Path, columns: Columns = ALL) -> list[Row]:
    return list(Reading(path, RowRules(), columns).rows())


def written(path: Path, *rows: Row) -> Path:
    pq.write_table(pa.Table.from_pylist([record_of(row) for row in rows], TRAFFIC), path)
    return path


@pytest.mark.parametrize("row", [ROW, ROW._replace(is_ending_said=False, ending="ended"), Row(None, None, "aborted")])
def test_a_row_is_read_back_as_it_was_written(tmp_path: Path, row: Row) -> None:
    assert read(written(tmp_path / "log.parquet", row)) == [row._replace(params=row.params or {})]


def test_what_nobody_wants_is_not_read(tmp_path: Path) -> None:
    (row,) = read(written(tmp_path / "log.parquet", ROW), COLUMNS)
    assert row == ROW._replace(params=None, messages=None, **dict.fromkeys(DETAIL_COLUMNS))


def test_the_fields_of_a_row_are_the_columns_of_the_schema_and_some_of_the_journals() -> None:
    of_journals = {"correction", "quantile", "placed_by", "fail_open_reason"}
    assert {*TRAFFIC.names} - {"prompt"} == {*Row._fields} - {"text", "group", "is_ending_said"} - of_journals
    assert of_journals < {*JOURNAL.names}
    assert all(field.metadata[b"meaning"] for field in TRAFFIC)


def test_a_chat_that_quotes_a_chat_is_not_taken_for_what_it_quotes(tmp_path: Path) -> None:
    quoting = json.dumps([{"role": "user", "content": "Hi"}])
    row = Row(quoting, 5, "ended", messages=[{"role": "user", "content": quoting}])
    log = written(tmp_path / "log.parquet", row)
    assert read(log, Columns("prompt", "output_tokens"))[0].text == quoting
    assert read(log)[0].messages == row.messages


@pytest.mark.parametrize(
    ("column", "value"), [("end_to_end_s", -1.0), ("time_to_first_token_s", "soon"), ("predicted_tokens", float("inf"))]
)
def test_an_amount_that_is_none_is_bad(tmp_path: Path, column: str, value: object) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(json.dumps({"prompt": "Hi", "output_tokens": 1, column: value}))
    with pytest.raises(InvalidInput, match=f"{column} must be a number from 0, but row 1"):
        read(log)


def test_params_of_one_column_and_of_several_go_together(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(
        json.dumps({"prompt": "Hi", "output_tokens": 1, "params": '{"n": 2, "max_tokens": 3}', "max_tokens": 4})
    )
    assert read(log)[0].params == {"n": 2, "max_tokens": 4}
