"""`traffic/adapters/`: records that fit no form are counted and the first is shown, and nothing ends in a traceback."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registry.errors import InvalidInput
from tests.traffic.adapters.foreign_logs import (
    ALL_COLUMNS,
    KINDS,
    Kind,
    batch_answer,
    batch_question,
    observation,
    spend_log,
    user,
)
from tests.traffic.logs import Rows, labels, write
from traffic.describe import DescribeConfig, Description, describe_log
from traffic.length_log import LengthLogSource, read_length_log
from traffic.read import Reading
from traffic.rows.rules import RowRules

LINES = {name: kind for name, kind in KINDS.items() if kind.source not in ("own form", "vllm bench serve", "guidellm")}
STRANGERS = ['{"colour": "blue"}', "{}", "[1, 2]", "null", '"a text"', '{"messages": ', '{"benchmarks": 3, "type": 4}']


def describe(path: Path, rows: Rows, **choice: Any) -> Description:
    return describe_log(DescribeConfig(log=write(path / "log.jsonl", rows), **choice))


def records(kind: Kind, folder: Path, size: int) -> list[str]:
    """The records of a log, each as a line; of a folder those of its first file."""
    log = kind.write(folder, size)
    log = log if log.is_file() else sorted(log.iterdir())[0]
    return log.read_text().splitlines()


@pytest.mark.parametrize("stranger", STRANGERS)
@pytest.mark.parametrize("kind", LINES.values(), ids=LINES)
def test_a_record_that_fits_none_is_counted_and_shown(tmp_path: Path, kind: Kind, stranger: str) -> None:
    whole = records(kind, tmp_path, 6)
    whole.insert(max(1, len(whole) // 2), stranger)
    (tmp_path / "strange").mkdir()
    log = tmp_path / "strange" / "log.jsonl"
    log.write_text("\n".join(whole))
    found = describe_log(DescribeConfig(log=log))
    assert (found.sources, found.left_out["misfits"]) == ({kind.source: 6}, 1)
    assert any(note.startswith("1 bad rows were left out; the first: ") for note in found.notes)


def test_a_record_is_shown_by_its_keys_and_never_by_its_values(tmp_path: Path) -> None:
    strange = {"secret": "my password is hunter2", "more": [user(0)]}
    odd = spend_log(5) | {"proxy_server_request": {"messages": [{"role": "user", "content": "x"}, "hunter2"]}}
    found = describe(tmp_path, [spend_log(0), strange, odd, spend_log(2)])
    assert (found.labelled, found.left_out) == (2, {"misfits": 2})
    assert any("row 2 (the first is 1) has the keys 'secret', 'more'" in note for note in found.notes)
    assert "hunter2" not in str(found)


def test_a_file_may_begin_with_a_record_that_fits_none(tmp_path: Path) -> None:
    found = describe(tmp_path, [{"version": 3}, *map(observation, range(4))])
    assert (found.sources, found.left_out) == ({"Langfuse": 4}, {"misfits": 1})


def test_a_file_of_no_known_form_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"or give a log of OpenTelemetry, guidellm, .*LiteLLM"):
        describe(tmp_path, [{"colour": "blue"}])


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to each value inside of a record, one item of a list standing for all."""
    if path:
        yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for key, one in inside:
        yield from places(one, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], new)
    return copy


@pytest.mark.parametrize("new", [None, "", "x", [], {}, -1, 2.5, True, [None], {"a": [None]}], ids=repr)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_whatever_stands_anywhere_in_a_record_ends_in_rows_or_in_a_sentence(
    tmp_path: Path, kind: Kind, new: Any
) -> None:
    whole = [json.loads(line) for line in records(kind, tmp_path, 2)]
    for path in places(whole[-1]):
        log = tmp_path / "changed.jsonl"
        log.write_text("".join(json.dumps(one) + "\n" for one in [*whole[:-1], replaced(whole[-1], path, new)]))
        reading = Reading(log, RowRules(bad_row_share=1.0), ALL_COLUMNS)
        try:
            rows = list(reading.rows())
        except InvalidInput:
            continue
        assert len(rows) + reading.bad.count <= reading.num_rows
        assert all(isinstance(note, str) for note in reading.notes())


def test_numbers_as_text_are_numbers(tmp_path: Path) -> None:
    rows = [spend_log(n) | {"completion_tokens": str(n + 1), "prompt_tokens": "9"} for n in range(4)]
    assert labels(read_length_log(LengthLogSource(lengths=write(tmp_path / "log.jsonl", rows)))) == {
        f"question {n}": n + 1 for n in range(4)
    }


def test_a_length_that_is_none_is_a_bad_row_that_names_its_value(tmp_path: Path) -> None:
    rows = [spend_log(0), spend_log(1) | {"completion_tokens": -3}]
    with pytest.raises(InvalidInput, match=r"row 2 .* has '-3' in column 'output_tokens'"):
        describe(tmp_path, rows)
    assert describe(tmp_path, rows, bad_row_share=0.5).left_out == {"bad_rows": 1}


def test_batches_that_reuse_ids_are_never_joined_crosswise(tmp_path: Path) -> None:
    others = [{**batch_question(n), "body": {"model": "m", "prompt": f"other {n}"}} for n in range(3)]
    lengths = [batch_answer(n + 10) | {"custom_id": f"c{n}"} for n in range(3)]
    for name, rows in {
        "1-in": [*map(batch_question, range(3))],
        "2-in": others,
        "1-out": [*map(batch_answer, range(3))],
        "2-out": lengths,
    }.items():
        write(tmp_path / f"{name}.jsonl", rows)
    found = read_length_log(LengthLogSource(lengths=tmp_path))
    expected = {f"question {n}": n + 1 for n in range(3)} | {f"other {n}": n + 11 for n in range(3)}
    assert labels(found).items() <= expected.items()
    assert labels(found)
    (tmp_path / "2-in.jsonl").rename(tmp_path / "1-late.jsonl")
    overlapping = read_length_log(LengthLogSource(lengths=tmp_path))
    assert labels(overlapping) == {f"question {n}": n + 1 for n in range(3)}
    assert any("6 requests or responses of the batch have a custom_id that came before" in n for n in overlapping.notes)


def test_what_was_tried_twice_counts_once(tmp_path: Path) -> None:
    failed = batch_answer(0) | {"response": {"status_code": 500, "body": {}}}
    rows = [failed, batch_answer(0), batch_answer(0), batch_question(0), batch_question(1), batch_answer(1)]
    found = describe(tmp_path, rows)
    assert (found.rows, found.labelled) == (2, 2)


def test_a_batch_without_ids_is_told(tmp_path: Path) -> None:
    rows = [
        one | {"custom_id": None} for one in (batch_question(0), batch_answer(0), batch_question(1) | batch_answer(1))
    ]
    found = describe(tmp_path, rows)
    assert (found.rows, found.labelled, found.first) == (3, 1, "question 0")
    assert any("3 records of the batch have no custom_id" in note for note in found.notes)


def test_calls_of_litellm_that_bring_no_text_are_counted(tmp_path: Path) -> None:
    found = describe(tmp_path, [spend_log(0), spend_log(1) | {"call_type": "aembedding"}])
    assert (found.rows, found.notes[0][:34]) == (1, "1 calls of LiteLLM are none for te")


def test_prompts_that_litellm_shortened_are_told(tmp_path: Path) -> None:
    text = "begin... (litellm_truncated skipped 900 chars) ...end"
    body = {"messages": [{"role": "user", "content": text}]}
    found = describe(tmp_path, [spend_log(0) | {"proxy_server_request": json.dumps(body)}])
    assert (found.labelled, "1 prompts were shortened by LiteLLM" in found.notes[0]) == (1, True)
