"""A user's own log, whole or not."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from registry.errors import InvalidInput
from traffic.batch import Traffic
from traffic.served_log import ServedLogSource, read_arrivals, read_long_log, read_served_log

ROWS = [
    {"arrival_s": 10.0, "prompt": "first", "prompt_tokens": 3, "output_tokens": 7},
    {"arrival_s": 12.5, "prompt": "second one", "prompt_tokens": 5, "output_tokens": 9},
    {"arrival_s": 14.0, "prompt": "third", "prompt_tokens": 4, "output_tokens": 1},
]


def read(tmp_path: Path, rows: list[dict[str, Any]], **changes: str) -> Traffic:
    path = tmp_path / "served.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return read_served_log(ServedLogSource(log=path, **changes))


def test_log_starts_at_zero_and_says_nothing_if_it_is_whole(tmp_path: Path) -> None:
    log = read(tmp_path, ROWS)
    assert log.arrival_s.tolist() == [0.0, 2.5, 4.0]
    assert log.output_tokens.tolist() == [7, 9, 1]
    assert log.prompts == ("first", "second one", "third")
    assert log.notes == ()
    assert log.rate_per_s == 0.5


def test_parquet_reads_the_same(tmp_path: Path) -> None:
    pd.DataFrame(ROWS).to_parquet(tmp_path / "served.parquet")
    log = read_served_log(ServedLogSource(log=tmp_path / "served.parquet"))
    assert log.prompt_tokens.tolist() == [3, 5, 4]


def test_unsorted_arrivals_are_sorted_and_said(tmp_path: Path) -> None:
    log = read(tmp_path, [ROWS[2], ROWS[0], ROWS[1]])
    assert log.arrival_s.tolist() == [0.0, 2.5, 4.0]
    assert log.prompts == ("first", "second one", "third")
    assert ["have been sorted" in note for note in log.notes] == [True]


@pytest.mark.parametrize("tokens", [None, 0])
def test_requests_without_an_answer_are_left_out_and_counted(tmp_path: Path, tokens: int | None) -> None:
    log = read(tmp_path, [*ROWS, ROWS[0] | {"output_tokens": tokens}])
    assert len(log) == 3
    assert log.notes == ("1 rows of served.jsonl without an answer were left out.",)


def test_tokens_of_prompts_are_estimated_where_they_are_missing(tmp_path: Path) -> None:
    log = read(tmp_path, [{name: value for name, value in row.items() if name != "prompt_tokens"} for row in ROWS])
    assert log.prompt_tokens.tolist() == [1, 2, 1]
    assert "estimated" in log.notes[0]


def test_prompts_may_be_missing(tmp_path: Path) -> None:
    log = read(tmp_path, [{name: value for name, value in row.items() if name != "prompt"} for row in ROWS])
    assert log.prompts is None


def test_columns_may_have_other_names(tmp_path: Path) -> None:
    rows = [{"at": row["arrival_s"], "prompt_tokens": 1, "response_tokens": row["output_tokens"]} for row in ROWS]
    log = read(tmp_path, rows, arrival_column="at", length_column="response_tokens")
    assert log.output_tokens.tolist() == [7, 9, 1]


def test_dates_are_arrivals_too(tmp_path: Path) -> None:
    dates = [datetime(2026, 1, 1, 12, 0, second, tzinfo=UTC) for second in (0, 3, 59)]
    log = read(tmp_path, [row | {"arrival_s": date.isoformat()} for row, date in zip(ROWS, dates, strict=True)])
    pd.DataFrame(ROWS).assign(arrival_s=dates).to_parquet(tmp_path / "served.parquet")
    parquet = read_served_log(ServedLogSource(log=tmp_path / "served.parquet"))
    assert log.arrival_s.tolist() == parquet.arrival_s.tolist() == [0.0, 3.0, 59.0]


@pytest.mark.parametrize("name", ["arrival_s", "output_tokens"])
def test_missing_column_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match=name):
        read(tmp_path, [{key: value for key, value in row.items() if key != name} for row in ROWS])


def test_log_without_prompts_and_without_their_tokens_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="the column 'prompt' or 'prompt_tokens', but its columns"):
        read(tmp_path, [{"arrival_s": 1.0, "output_tokens": 3}] * 3)


@pytest.mark.parametrize(
    ("column", "value"),
    [("output_tokens", -1), ("output_tokens", 1.5), ("prompt_tokens", -3), ("arrival_s", None), ("arrival_s", "noon")],
)
def test_value_that_cannot_be_names_row_and_column(tmp_path: Path, column: str, value: Any) -> None:
    with pytest.raises(InvalidInput, match=rf"row 2 .*{column}"):
        read(tmp_path, [ROWS[0], ROWS[1] | {column: value}, ROWS[2]])


def test_log_of_one_request_is_no_traffic(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"at least two answered requests, but .* has 1"):
        read(tmp_path, ROWS[:1])


def test_window_starts_at_zero_again(tmp_path: Path) -> None:
    window = read(tmp_path, ROWS).window(1, 3)
    assert window.arrival_s.tolist() == [0.0, 1.5]
    assert window.prompts == ("second one", "third")


def test_requests_are_taken_whole_and_in_any_order(tmp_path: Path) -> None:
    taken = replace(read(tmp_path, ROWS), token_ids=((1,), (2, 2), (3,))).take(np.array([2, 0, 2]))
    assert taken.arrival_s.tolist() == [4.0, 0.0, 4.0]
    assert taken.prompt_tokens.tolist() == [4, 3, 4]
    assert taken.output_tokens.tolist() == [1, 7, 1]
    assert taken.prompts == ("third", "first", "third")
    assert taken.token_ids == ((3,), (1,), (3,))
    assert taken.sent_at(np.zeros(3)).rate_per_s == float("inf")


def test_requests_that_no_engine_holds_are_left_out_and_noted(tmp_path: Path) -> None:
    log = read(tmp_path, ROWS)
    fitting = log.that_fit(10)
    assert fitting.arrival_s.tolist() == [0.0, 4.0]
    assert fitting.prompts == ("first", "third")
    assert fitting.notes == ("1 requests longer than 10 tokens were left out.",)
    assert log.that_fit(14) is log
    with pytest.raises(InvalidInput, match="at least two requests must fit the engine, but only 1 of 3"):
        log.that_fit(5)


def test_arrivals_alone_are_read_from_parquet_and_json_lines(tmp_path: Path) -> None:
    pd.DataFrame({"arrival_s": [0.5, 2.0], "prompt_tokens": [1, 2]}).to_parquet(tmp_path / "trace.parquet")
    (tmp_path / "trace.jsonl").write_text('{"arrival_s": 0.5}\n{"arrival_s": 2}\n')
    assert (
        list(read_arrivals(tmp_path / "trace.parquet")) == list(read_arrivals(tmp_path / "trace.jsonl")) == [0.5, 2.0]
    )


@pytest.mark.parametrize("value", [None, "noon", True])
def test_arrival_alone_that_is_no_time_names_its_row(tmp_path: Path, value: object) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text("\n".join(json.dumps({"arrival_s": one}) for one in [0.0, value]))
    with pytest.raises(InvalidInput, match=r"row 2 .* 'arrival_s'"):
        read_arrivals(path)


@pytest.mark.parametrize("per_s", [10**3, 10**6, 10**9])
def test_units_since_1970_are_arrivals_and_said(tmp_path: Path, per_s: int) -> None:
    log = read(tmp_path, [row | {"arrival_s": int((1_700_000_000 + row["arrival_s"]) * per_s)} for row in ROWS])  # type: ignore[operator]
    assert log.arrival_s.tolist() == pytest.approx([0.0, 2.5, 4.0], abs=1e-6)
    assert log.notes[0].endswith("seconds since 1970.")
    alone = read_arrivals(tmp_path / "served.jsonl")
    assert (alone - alone[0]).tolist() == pytest.approx([0.0, 2.5, 4.0], abs=1e-6)


def test_bad_rows_are_left_out_up_to_the_tolerated_share(tmp_path: Path) -> None:
    rows = [*ROWS, ROWS[0] | {"arrival_s": "noon"}, ROWS[0] | {"output_tokens": -1}]
    with pytest.raises(InvalidInput, match="2 of 5 rows are bad"):
        read(tmp_path, rows)
    log = read_served_log(ServedLogSource(log=tmp_path / "served.jsonl", bad_row_share=0.4))
    assert len(log) == 3
    assert log.notes[0].startswith("2 bad rows were left out; the first: an arrival must be a number of seconds")


def test_rows_without_a_length_need_no_arrival(tmp_path: Path) -> None:
    assert len(read(tmp_path, [*ROWS, {"prompt": "lost", "arrival_s": None, "output_tokens": None}])) == 3


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_prompts_of_a_long_log_are_read_only_where_they_are_wanted(tmp_path: Path, suffix: str) -> None:
    """Numbers count the requests in the order of their arrival, whatever stands between them in the file."""
    rows = [ROWS[2], ROWS[0] | {"output_tokens": None, "prompt": "unanswered"}, ROWS[1], ROWS[0]]
    path = tmp_path / f"long.{suffix}"
    if suffix == "jsonl":
        path.write_text("\n".join(["no JSON", *map(json.dumps, rows)]))
    else:
        pd.DataFrame(rows).to_parquet(path)
    source = ServedLogSource(log=path, bad_row_share=0.3)
    log = read_long_log(source)
    assert log.traffic.prompts is None
    assert log.traffic.output_tokens.tolist() == read_served_log(source).output_tokens.tolist() == [7, 9, 1]
    assert [view.text for view in log.views(np.array([2, 0]))] == ["third", "first"]


def test_long_log_without_prompts_says_so_and_estimates_the_tokens_of_those_it_has(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_text("\n".join(json.dumps(row | {"prompt": None}) for row in ROWS))
    assert read_long_log(ServedLogSource(log=path)).records is None
    path.write_text("\n".join(json.dumps(row | {"prompt_tokens": None}) for row in ROWS))
    assert read_long_log(ServedLogSource(log=path)).traffic.prompt_tokens.tolist() == [1, 2, 1]


def test_clock_of_the_log_is_kept_with_what_is_taken_from_it(tmp_path: Path) -> None:
    log = read(tmp_path, ROWS)
    assert log.start_s == 10.0
    assert log.window(1, 3).start_s == 12.5
