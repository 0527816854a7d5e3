"""`traffic/adapters/`: the log of every source is described, trained on and replayed with no column named by hand."""

import bz2
import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from registry.errors import InvalidInput
from tests.traffic.adapters.foreign_logs import ALL_COLUMNS, KINDS, MODEL, Kind
from tests.traffic.logs import labels
from traffic.describe import DescribeConfig, describe_log
from traffic.length_log import LengthLogSource, read_length_log
from traffic.notes.encoders import DEFAULT_ENCODER, encoder_path
from traffic.read import Reading
from traffic.rows.rules import RowRules
from traffic.served_log import ServedLogSource, read_long_log, read_served_log

SIZE = 40
EXPECTED = {f"question {number}": number + 1 for number in range(SIZE)}
TOKENIZER = encoder_path(DEFAULT_ENCODER)

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def tokenizer(kind: Kind) -> str | None:
    return None if kind.counts_tokens else TOKENIZER


@every_kind
def test_a_log_of_every_source_is_described(tmp_path: Path, kind: Kind) -> None:
    found = describe_log(DescribeConfig(log=kind.write(tmp_path, SIZE), tokenizer=tokenizer(kind)))
    assert (found.rows, found.sources) == (SIZE, {kind.source: SIZE})
    assert (found.labelled, found.first) == ((SIZE, "question 0") if kind.has_prompts else (0, None))
    assert found.targets in ({MODEL: SIZE}, {})
    assert bool(found.targets) == (kind.source != "ShareGPT")


@every_kind
def test_a_log_of_every_source_that_has_prompts_is_a_length_log(tmp_path: Path, kind: Kind) -> None:
    source = LengthLogSource(lengths=kind.write(tmp_path, SIZE), tokenizer=tokenizer(kind))
    if kind.has_prompts:
        assert labels(read_length_log(source)) == EXPECTED
    else:
        with pytest.raises(InvalidInput, match="40 requests of vllm bench serve have no prompts"):
            read_length_log(source)


@every_kind
def test_a_log_of_every_source_that_has_times_is_a_served_log(tmp_path: Path, kind: Kind) -> None:
    source = ServedLogSource(log=kind.write(tmp_path, SIZE), tokenizer=tokenizer(kind))
    if not kind.has_times:
        with pytest.raises(InvalidInput, match="an arrival must be"):
            read_served_log(source)
        return
    traffic = read_served_log(source)
    assert traffic.arrival_s.tolist() == [float(number) for number in range(SIZE)]
    assert traffic.output_tokens.tolist() == [number + 1 for number in range(SIZE)]
    assert (set(traffic.prompt_tokens.tolist()), bool(traffic.prompts)) == ({9}, kind.has_prompts)
    long = read_long_log(source)
    if kind.has_prompts:
        assert [view.text for view in long.views(np.array([7, 3]))] == ["question 7", "question 3"]
    assert (long.records is not None) == kind.has_prompts


@pytest.mark.parametrize("name", ["ShareGPT", "LMSYS-Chat"])
def test_answers_that_nobody_counted_ask_for_a_tokenizer(tmp_path: Path, name: str) -> None:
    log = KINDS[name].write(tmp_path, SIZE)
    with pytest.raises(InvalidInput, match="40 rows hold an answer's text but not its length; give tokenizer=FILE"):
        read_length_log(LengthLogSource(lengths=log))


DETAILED = {
    "LiteLLM": {"request_id", "session", "tenant", "reasoning_tokens", "time_to_first_token_s", "end_to_end_s"},
    "Langfuse, API": {"request_id", "session", "tenant", "time_to_first_token_s", "end_to_end_s"},
    "Langfuse, export": {
        *("request_id", "session", "tenant", "reasoning_tokens"),
        *("time_to_first_token_s", "end_to_end_s"),
    },
    "OpenTelemetry": {"request_id", "session", "time_to_first_token_s", "end_to_end_s"},
    "OpenAI batch": {"request_id", "reasoning_tokens"},
    "ShareGPT": {"session"},
    "LMSYS-Chat": {"session"},
    "WildChat": {"session", "tenant"},
    "vllm bench serve": {"time_to_first_token_s", "end_to_end_s"},
    "guidellm": {"request_id", "time_to_first_token_s", "end_to_end_s"},
}


@pytest.mark.parametrize("name", DETAILED)
def test_what_a_source_says_beside_lengths_is_read(tmp_path: Path, name: str) -> None:
    row = next(Reading(KINDS[name].write(tmp_path, 3), RowRules(), ALL_COLUMNS).rows())
    known = {name for name in set().union(*DETAILED.values()) if getattr(row, name) is not None}
    assert known == DETAILED[name]
    assert row.time_to_first_token_s in (None, pytest.approx(0.1, abs=1e-6))
    assert row.end_to_end_s in (None, pytest.approx(0.5, abs=1e-6))
    assert row.session in (None, "s0")


@every_kind
@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress])
def test_a_byte_order_mark_and_compression_change_nothing(tmp_path: Path, kind: Kind, compress: type) -> None:
    log = kind.write(tmp_path, SIZE)
    for file in [log] if log.is_file() else log.iterdir():
        file.write_bytes(compress(b"\xef\xbb\xbf" + file.read_bytes()))
    assert describe_log(DescribeConfig(log=log)).sources == {kind.source: SIZE}


@pytest.mark.parametrize("name", ["Langfuse, API", "OpenTelemetry", "vllm bench serve", "guidellm"])
@pytest.mark.parametrize("indent", [1, 4])
def test_a_file_for_people_to_read_is_the_same_log(tmp_path: Path, name: str, indent: int) -> None:
    log = KINDS[name].write(tmp_path, SIZE)
    log.write_text(json.dumps(json.loads(log.read_text()), indent=indent))
    assert describe_log(DescribeConfig(log=log)).sources == {KINDS[name].source: SIZE}


def test_a_folder_may_hold_logs_of_all_sources(tmp_path: Path) -> None:
    for name, kind in KINDS.items():
        folder = tmp_path / name
        folder.mkdir()
        kind.write(folder, SIZE)
    (tmp_path / "settings.json").write_text('{"colour": "blue", "prompt_size": 3}')
    found = describe_log(DescribeConfig(log=tmp_path, tokenizer=TOKENIZER))
    assert found.sources == {
        kind.source: SIZE * (1 + (kind.source in ("Langfuse", "OpenAI batch"))) for kind in KINDS.values()
    }
    assert found.rows == found.labelled + sum(found.left_out.values())
    assert found.left_out == {"no_text": SIZE, "misfits": 1}
    assert any("settings.json has the keys 'colour', 'prompt_size'" in note for note in found.notes)
