"""`traffic/length_log.py`, `table.py` and `cells.py`: what each mistake in a log is told."""

from pathlib import Path
from typing import Any

import pytest

from registry.errors import InvalidInput
from tests.traffic.logs import GOOD, Rows, read
from traffic.length_log import LengthLogSource, read_length_log

BAD_LENGTHS = [-1, 1.5, "1.5", "-3", "many", True, float("inf"), 10**30, [3]]


@pytest.mark.parametrize("value", BAD_LENGTHS)
def test_a_wrong_length_names_row_column_and_value(tmp_path: Path, value: Any) -> None:
    with pytest.raises(InvalidInput, match=r"row 6 .*column 'output_tokens'") as raised:
        read(tmp_path / "log.jsonl", [*GOOD, {"prompt": "bad", "output_tokens": value}])
    assert repr(str(value)) in str(raised.value)


@pytest.mark.parametrize("values", [[1.0, -2.0], ["1", "two"], [1.0, 0.5]])
def test_a_wrong_length_is_found_in_parquet_too(tmp_path: Path, values: list[Any]) -> None:
    with pytest.raises(InvalidInput, match=r"row [12] .*column 'output_tokens'"):
        read(tmp_path / "log.parquet", [{"prompt": str(value), "output_tokens": value} for value in values])


@pytest.mark.parametrize("value", [7, {"text": "a"}, ["a"], [{"content": "no role"}], [None]])
def test_a_wrong_prompt_names_row_column_and_value(tmp_path: Path, value: Any) -> None:
    with pytest.raises(InvalidInput, match=r"row 6 .*column 'prompt'"):
        read(tmp_path / "log.jsonl", [*GOOD, {"prompt": value, "output_tokens": 3}])


@pytest.mark.parametrize("name", ["log.parquet", "log.jsonl"])
@pytest.mark.parametrize(
    ("choice", "missing"),
    [({"length_column": "tokens"}, "tokens"), ({"prompt_column": "text"}, "text"), ({"group_column": "task"}, "task")],
)
def test_a_missing_column_lists_those_there_are(
    tmp_path: Path, name: str, choice: dict[str, str], missing: str
) -> None:
    with pytest.raises(InvalidInput, match=f"the column '{missing}', but its columns are 'prompt', 'output_tokens'"):
        read(tmp_path / name, GOOD, **choice)


def test_neither_prompt_nor_messages_is_a_missing_prompt(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="the column 'prompt', but its columns are 'text', 'output_tokens'"):
        read(tmp_path / "log.jsonl", [{"text": "a", "output_tokens": 1}])


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (GOOD[:1], "1 labelled prompts with 1 distinct"),
        ([{**row, "output_tokens": 7} for row in GOOD], "5 labelled prompts with 1 distinct"),
        (
            [{**row, "output_tokens": 0} for row in GOOD],
            r"has both a prompt and the length of its answer \(5 empty answers\)\.",
        ),
    ],
)
def test_lengths_that_do_not_differ_cannot_be_ranked(tmp_path: Path, rows: Rows, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        read(tmp_path / "log.jsonl", rows)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("log.parquet", b"not parquet", "must be a parquet file"),
        ("log.jsonl", b'{"prompt": "a", "output_tokens": 1}\n{"prompt": \n', "line 2 is not"),
        ("log.jsonl", b"[1, 2]\n", "item 1 holds a number"),
        ("log.jsonl", b"\xff\xfe\x00\n", "must be a UTF-8 text file"),
        ("log.jsonl", b" \n", "but .*log.jsonl is empty"),
    ],
)
def test_an_unreadable_file_says_what_is_wrong(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInput, match=told):
        read_length_log(LengthLogSource(lengths=tmp_path / name))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"there is no file .*nowhere\.jsonl"):
        read_length_log(LengthLogSource(lengths=tmp_path / "nowhere.jsonl"))
