"""`traffic/adapters/langfuse.py`: observations in the forms of the API, of exports and of traces."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.traffic.adapters.foreign_logs import Json, exported_observation, observation, said, user
from tests.traffic.logs import Rows, write
from traffic.describe import DescribeConfig, Description, describe_log
from traffic.notes.encoders import DEFAULT_ENCODER, encoder_path
from traffic.read import Reading
from traffic.rows.row import Row
from traffic.rows.rules import Columns, RowRules

TOKENIZER = encoder_path(DEFAULT_ENCODER)


def describe(path: Path, rows: Rows, **choice: Any) -> Description:
    return describe_log(DescribeConfig(log=write(path / "log.jsonl", rows), **choice))


def row(path: Path, one: Json) -> Row:
    columns = Columns(prompt="prompt", length="output_tokens", prompt_tokens="prompt_tokens", has_details=True)
    return next(Reading(write(path / "log.jsonl", [one]), RowRules(), columns).rows())


INPUTS = [
    "question 3",
    [user(3)],
    {"messages": [user(3)], "tools": []},
    json.dumps([user(3)]),
    json.dumps({"messages": [user(3)]}),
    user(3),
    {"prompt": "question 3"},
    {"input": "question 3", "model": "m"},
    [[{"type": "human", "role": "human", "content": "question 3"}]],
    [{"role": "user", "content": [{"type": "text", "text": "question 3"}]}],
]


@pytest.mark.parametrize("given", INPUTS)
@pytest.mark.parametrize("make", [observation, exported_observation])
def test_inputs_are_text_or_chats_in_any_form(tmp_path: Path, make: Any, given: Any) -> None:
    found = describe(tmp_path, [make(3) | {"input": given}])
    assert (found.labelled, found.first) == (1, "question 3")


@pytest.mark.parametrize(("usage", "tokens"), [
    ({"usageDetails": {"input": 5, "output": 7}, "usage": None}, 7),
    ({"usageDetails": {"output": 3, "output_reasoning_tokens": 4}}, 7),
    ({"usageDetails": {}, "usage": {"output": 7}}, 7),
    ({"usageDetails": None, "usage": {"promptTokens": 5, "completionTokens": 7}}, 7),
    ({"usageDetails": '{"output": "7"}', "usage": None}, 7),
    ({"usageDetails": None, "usage": {"input": 0, "output": 0, "total": 0}}, None),
    ({"usageDetails": None, "usage": None}, None),
])  # fmt: skip
def test_tokens_stand_in_details_or_in_what_was_before_them(tmp_path: Path, usage: Json, tokens: int | None) -> None:
    assert row(tmp_path, observation(0) | usage).output_tokens == tokens


def test_usage_as_parquet_has_a_map_is_read(tmp_path: Path) -> None:
    rows = [{**exported_observation(n), "usage_details": [("input", 9), ("output", n + 1)]} for n in range(4)]
    kind = pa.map_(pa.string(), pa.int64())
    table = pa.Table.from_pylist([{k: v for k, v in one.items() if k != "usage_details"} for one in rows])
    table = table.append_column("usage_details", pa.array([one["usage_details"] for one in rows], kind))
    pq.write_table(table, tmp_path / "log.parquet")
    found = describe_log(DescribeConfig(log=tmp_path / "log.parquet"))
    assert (found.labelled, found.sources) == (4, {"Langfuse": 4})


def test_only_generations_are_an_llms(tmp_path: Path) -> None:
    spans = [observation(n) | {"type": kind} for n, kind in enumerate(["SPAN", "EVENT", "TOOL", "EMBEDDING"])]
    found = describe(tmp_path, [*spans, observation(4)])
    assert (found.rows, found.labelled, found.left_out) == (1, 1, {})
    assert found.notes[0] == "4 observations of Langfuse are no generations and were left out."


def test_observations_inside_of_traces_have_their_session(tmp_path: Path) -> None:
    inside = observation(0) | {"sessionId": None, "userId": None}
    found = row(tmp_path, {"id": "t", "sessionId": "s", "userId": "u", "observations": [inside]})
    assert (found.session, found.tenant, found.text) == ("s", "u", "question 0")


def test_streams_that_nobody_counted_are_counted_by_a_tokenizer(tmp_path: Path) -> None:
    outputs = [said(3), {"role": "assistant", "content": said(3)}, [{"type": "text", "text": said(3)}]]
    outputs += [{"choices": [{"message": {"content": said(3)}}]}, json.dumps({"content": said(3)})]
    rows = [observation(n) | {"usageDetails": {}, "usage": None, "output": one} for n, one in enumerate(outputs)]
    found = describe(tmp_path, rows)
    assert (found.labelled, found.left_out) == (0, {"no_length": 5})
    assert any("5 rows hold an answer's text but not its length; give tokenizer=FILE" in note for note in found.notes)
    assert describe(tmp_path, rows, tokenizer=TOKENIZER).labelled == 5


def test_an_error_is_a_failure_and_a_call_of_a_tool_has_no_text_to_count(tmp_path: Path) -> None:
    called = {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": {}}]}
    unknown = {"usageDetails": {}, "usage": None}
    rows = [
        observation(0) | unknown | {"level": "ERROR", "output": None},
        observation(1) | unknown | {"output": called},
    ]
    assert describe(tmp_path, rows, tokenizer=TOKENIZER).left_out == {"failed": 1, "no_length": 1}


def test_inputs_that_were_not_exported_are_asked_for(tmp_path: Path) -> None:
    found = describe(tmp_path, [{k: v for k, v in observation(n).items() if k != "input"} for n in range(3)])
    assert found.left_out == {"no_text": 3}
    assert "3 generations of Langfuse hold no input" in found.notes[0]
