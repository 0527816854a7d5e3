"""A window of arrivals: what came outside of it is not read, in whatever form the log is."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from registry.errors import InvalidInput
from tests.traffic.logs import Rows, labels, read, write
from traffic.length_log import LengthLogSource, read_rows
from traffic.rows.arrival_window import ArrivalWindow
from traffic.split import split_of

NOON_S = 1_795_780_800.0
"""2026-11-27T12:00 UTC."""
MINUTE_BY_MINUTE: Rows = [
    {"prompt": f"prompt {number}", "output_tokens": number + 1, "arrival_s": NOON_S + 60 * number, "session": None}
    for number in range(40)
]


@pytest.mark.parametrize("name", ["log.parquet", "log.jsonl"])
def test_only_rows_of_the_window_are_labelled_and_the_others_counted(tmp_path: Path, name: str) -> None:
    window = {"since": "2026-11-27T12:10+00:00", "before": str(NOON_S + 60 * 30)}
    log = read(tmp_path / name, MINUTE_BY_MINUTE, **window)
    assert sorted(labels(log).values()) == [float(number + 1) for number in range(10, 30)]
    assert (log.counts.rows, log.counts.labelled, log.counts.outside_window) == (40, 20, 20)


def test_two_windows_that_touch_are_the_whole_log(tmp_path: Path) -> None:
    middle = "2026-11-27T12:17:00Z"
    whole = read(tmp_path / "log.jsonl", MINUTE_BY_MINUTE)
    parts = [read(tmp_path / "log.jsonl", MINUTE_BY_MINUTE, **{end: middle}) for end in ("since", "before")]
    assert labels(whole) == labels(parts[0]) | labels(parts[1])
    assert sum(map(len, parts)) == len(whole)


def test_a_window_does_not_move_a_prompt_into_another_split(tmp_path: Path) -> None:
    log = read(tmp_path / "log.jsonl", MINUTE_BY_MINUTE, since=str(NOON_S + 60 * 5))
    assert [*log.splits] == [split_of(prompt) for prompt in log.prompts]


def test_a_row_whose_arrival_nobody_knows_is_in_no_window(tmp_path: Path) -> None:
    rows = [*MINUTE_BY_MINUTE, {"prompt": "when?", "output_tokens": 7, "arrival_s": None}]
    assert "when?" in labels(read(tmp_path / "log.jsonl", rows))
    assert "when?" not in labels(read(tmp_path / "log.jsonl", rows, since="0"))


def test_every_pass_over_the_log_keeps_to_the_window(tmp_path: Path) -> None:
    source = LengthLogSource(lengths=write(tmp_path / "log.jsonl", MINUTE_BY_MINUTE), before=str(NOON_S + 120))
    assert [row.prompt for row in read_rows(source)] == ["prompt 0", "prompt 1"]
    assert [row.text for row in source.reading(with_chats=True).rows()] == ["prompt 0", "prompt 1"]


def test_a_window_needs_the_arrivals(tmp_path: Path) -> None:
    rows = [{"prompt": row["prompt"], "output_tokens": row["output_tokens"]} for row in MINUTE_BY_MINUTE]
    with pytest.raises(InvalidInput, match="must have the column 'arrival_s'"):
        read(tmp_path / "log.jsonl", rows, since="2026-11-27")


def test_an_empty_window_says_where_the_rows_are(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="40 outside window"):
        read(tmp_path / "log.jsonl", MINUTE_BY_MINUTE, since="2027-01-01")


@pytest.mark.parametrize(
    ("window", "says"),
    [
        ({"since": "yesterday"}, "since must be a date with its time, .* but got 'yesterday'"),
        ({"before": ""}, "before must be a date"),
        ({"since": "20", "before": "10"}, "since must be earlier than before, but got since=20 and before=10"),
    ],
)
def test_what_is_no_window_is_refused(tmp_path: Path, window: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        read(tmp_path / "log.jsonl", MINUTE_BY_MINUTE, **window)


def test_one_row_and_many_are_judged_alike() -> None:
    window = ArrivalWindow(since_s=1.0, before_s=2.0)
    arrivals = [0.5, 1.0, 1.5, 2.0, None, np.nan]
    each = window.holds_each(pa.chunked_array([pa.array(arrivals, pa.float64())])).to_pylist()
    assert each == [window.holds(one) for one in arrivals] == [False, True, True, False, False, False]
