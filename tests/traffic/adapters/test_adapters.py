"""`traffic/adapters/`: what other tools leave, as a training reads it."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from registry.errors import InvalidInput
from tests.traffic.logs import Rows, labels, write
from traffic.describe import DescribeConfig, Description, describe_log
from traffic.length_log import LengthLogSource, read_length_log
from traffic.notes.encoders import DEFAULT_ENCODER, encoder_path
from traffic.served_log import ServedLogSource, read_served_log

TOKENIZER = encoder_path(DEFAULT_ENCODER)


def describe(path: Path, **choice: Any) -> Description:
    return describe_log(DescribeConfig(log=path, **choice))


def user(number: int) -> dict[str, str]:
    return {"role": "user", "content": f"question {number}"}


def as_text(row: dict[str, Any]) -> dict[str, Any]:
    """What a column of a spreadsheet or a database holds."""
    return {name: json.dumps(value) if isinstance(value, list | dict) else value for name, value in row.items()}


def conversation(number: int, answers: int = 1) -> dict[str, Any]:
    turns = [{"from": "human", "value": f"question {number}"}, {"from": "gpt", "value": "word " * (number % 50 + 1)}]
    return {"id": str(number), "conversations": turns * answers}


def test_an_answer_of_sharegpt_is_a_request_with_all_before_it(tmp_path: Path) -> None:
    found = read_length_log(
        LengthLogSource(
            lengths=write(tmp_path / "log.jsonl", [conversation(1, 2), conversation(2)]), tokenizer=TOKENIZER
        )
    )
    again = f"user: question 1\n\nassistant: {'word ' * 2}\n\nuser: question 1"
    assert labels(found) == {"question 1": 2, again: 2, "question 2": 3}


@pytest.mark.parametrize("name", ["log.jsonl", "log.json", "log.parquet", "log.csv"])
def test_sharegpt_asks_for_a_tokenizer(tmp_path: Path, name: str) -> None:
    rows, path = [conversation(n) for n in range(40)], tmp_path / name
    if name.endswith(".json"):
        path.write_text(json.dumps(rows))
    elif name.endswith(".csv"):
        pd.DataFrame([{**row, "conversations": json.dumps(row["conversations"])} for row in rows]).to_csv(
            path, index=False
        )
    elif name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        write(path, rows)
    found = describe(path)
    assert (found.rows, found.left_out, found.first) == (40, {"no_length": 40}, "question 0")
    assert any("give tokenizer=FILE" in note for note in found.notes)
    assert describe(path, tokenizer=TOKENIZER).labelled == 40
    with pytest.raises(InvalidInput, match="give tokenizer=FILE"):
        read_length_log(LengthLogSource(lengths=path))


def test_conversations_that_count_their_tokens_need_no_tokenizer(tmp_path: Path) -> None:
    turns = [user(0), {"role": "assistant", "content": "word", "usage": {"completion_tokens": 7}}]
    found = describe(write(tmp_path / "log.jsonl", [{"model": "m", "conversation": turns}]))
    assert (found.labelled, found.targets) == (1, {"m": 1})


def test_conversations_without_an_answer_are_counted(tmp_path: Path) -> None:
    rows = [{"conversations": turns} for turns in ([], [{"from": "human", "value": "a"}], None)]
    found = describe(write(tmp_path / "log.jsonl", [conversation(0), *rows]))
    assert (found.rows, found.left_out) == (4, {"no_length": 3, "misfits": 1})


def question(number: int) -> dict[str, Any]:
    return {
        "custom_id": f"c{number}",
        "url": "/v1/chat/completions",
        "body": {"model": "m", "messages": [user(number)]},
    }


def answer(number: int, **changes: Any) -> dict[str, Any]:
    body = {"model": "m", "choices": [{"finish_reason": "length" if number % 2 else "stop"}]}
    body |= {"usage": {"prompt_tokens": 5, "completion_tokens": number + 1}, "created": 1_700_000_000 + number}
    return {
        "id": "b",
        "custom_id": f"c{number}",
        "response": {"status_code": 200, "body": body},
        "error": None,
        **changes,
    }


FAILED = answer(7, response={"status_code": 429, "body": {}}), answer(8, response=None, error={"code": "batch_expired"})


def test_a_batch_is_joined_whatever_the_order(tmp_path: Path) -> None:
    write(tmp_path / "output.jsonl", [*map(answer, range(6)), *FAILED])
    write(tmp_path / "requests.jsonl", [question(number) for number in reversed(range(9))])
    found = describe(tmp_path)
    assert (found.rows, found.labelled, found.censored, found.targets) == (9, 6, 3, {"m": 9})
    assert found.left_out == {"failed": 2, "no_length": 1}
    assert "2 requests of the batch failed (status 429: 1, batch_expired: 1)." in found.notes
    log = read_length_log(LengthLogSource(lengths=tmp_path))
    assert labels(log) == {f"question {number}": number + 1 for number in range(6)}
    assert read_served_log(ServedLogSource(log=tmp_path)).arrival_s.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_a_batch_may_stand_in_one_file(tmp_path: Path) -> None:
    both = [question(n) for n in range(4)] + [answer(n) for n in range(4)]
    merged = [question(n) | answer(n) for n in range(4)]
    for rows in (both, merged):
        found = describe(write(tmp_path / "log.jsonl", rows))
        assert (found.rows, found.labelled, found.left_out) == (4, 4, {})


@pytest.mark.parametrize(("rows", "reason", "told"), [
    ([answer(n) for n in range(4)], "no_text", "4 responses of the batch have no prompts"),
    ([question(n) for n in range(4)], "no_length", "4 requests of the batch have no responses"),
])  # fmt: skip
def test_half_a_batch_asks_for_the_other_half(tmp_path: Path, rows: Rows, reason: str, told: str) -> None:
    path = write(tmp_path / "log.jsonl", rows)
    found = describe(path)
    assert (found.rows, found.left_out) == (4, {reason: 4})
    assert told in found.notes[0]
    assert "give the folder that holds both" in found.notes[0]
    with pytest.raises(InvalidInput, match="give the folder that holds both"):
        read_length_log(LengthLogSource(lengths=path))


def test_a_batch_of_responses_is_read(tmp_path: Path) -> None:
    asked = {"custom_id": "c", "url": "/v1/responses", "body": {"input": "Why?", "instructions": "Be brief."}}
    body = {"model": "m", "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    body |= {"usage": {"input_tokens": 5, "output_tokens": 9}}
    found = describe(
        write(tmp_path / "log.jsonl", [asked, {"custom_id": "c", "response": {"status_code": 200, "body": body}}])
    )
    assert (found.labelled, found.censored, found.first) == (1, 1, "system: Be brief.\n\nuser: Why?")


def test_the_sum_of_several_choices_is_no_length(tmp_path: Path) -> None:
    many = answer(0)
    many["response"]["body"]["choices"] *= 2
    assert describe(write(tmp_path / "log.jsonl", [question(0), many])).left_out == {"no_length": 1}


def spent(number: int, **changes: Any) -> dict[str, Any]:
    row = {"request_id": f"r{number}", "model": "m", "completion_tokens": number + 1, "prompt_tokens": 9}
    row |= {
        "startTime": f"2026-11-01T00:00:{number:02}Z",
        "endTime": "2026-11-01T00:01:00Z",
        "messages": [user(number)],
    }
    return row | {"response": {"choices": [{"finish_reason": "length" if number % 2 else "stop"}]}} | changes


LITELLM = [
    lambda n: spent(n),
    lambda n: spent(n, messages=json.dumps([user(n)]), response=json.dumps(spent(n)["response"])),
    lambda n: spent(n, messages={}, proxy_server_request={"model": "m", "messages": [user(n)]}),
    lambda n: spent(n, messages="{}", proxy_server_request=json.dumps({"messages": [user(n)]})),
]


@pytest.mark.parametrize("make", LITELLM)
@pytest.mark.parametrize("suffix", ["jsonl", "parquet", "csv"])
def test_spend_logs_of_litellm_are_read(tmp_path: Path, make: Any, suffix: str) -> None:
    rows, path = [make(n) for n in range(8)], tmp_path / f"log.{suffix}"
    if suffix == "csv":
        as_text = [
            {name: json.dumps(v) if isinstance(v, list | dict) else v for name, v in row.items()} for row in rows
        ]
        pd.DataFrame(as_text).to_csv(path, index=False)
    elif suffix == "parquet":
        pq.write_table(
            pa.Table.from_pylist([{k: json.dumps(v) if v == {} else v for k, v in row.items()} for row in rows]), path
        )
    else:
        write(path, rows)
    found = describe(path)
    assert (found.labelled, found.censored, found.first, found.targets) == (8, 4, "question 0", {"m": 8})
    assert found.notes[-1] == "Arrivals are dates."
    served = read_served_log(ServedLogSource(log=path))
    assert (served.arrival_s.tolist(), served.prompt_tokens.tolist()) == ([float(n) for n in range(8)], [9] * 8)


def test_spend_logs_without_prompts_say_how_to_store_them(tmp_path: Path) -> None:
    rows = [spent(n, messages={}) for n in range(3)] + [spent(3, status="failure", completion_tokens=0)]
    found = describe(write(tmp_path / "log.jsonl", rows))
    assert found.left_out == {"no_text": 3, "failed": 1}
    assert "store_prompts_in_spend_logs" in found.notes[0]


def test_columns_that_were_chosen_come_before_what_is_recognised(tmp_path: Path) -> None:
    rows = [spent(n) | {"prompt": f"p{n}", "mine": n + 2} for n in range(4)]
    found = read_length_log(LengthLogSource(lengths=write(tmp_path / "log.jsonl", rows), length_column="mine"))
    assert labels(found) == {f"p{n}": n + 2 for n in range(4)}
