"""The folder of a journal is a log for every command: its parquet, and what a server is appending to."""

import json
import logging
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from registry.errors import InvalidInput
from serving.journal.files.segment import segments
from serving.journal.journal_columns import JOURNAL
from tests.serving.journal.journals import Engine, Server, output, written
from traffic.describe import DescribeConfig, describe_log
from traffic.files.log_files import GROWING_SUFFIX
from traffic.length_log import LengthLogSource, read_length_log
from traffic.rows.schema import TRAFFIC
from traffic.served_log import ServedLogSource, read_served_log

PROMPTS = ("one", "one two", "one two three")


async def serve(folder: Path, kept: str, *prompts: str) -> Server:
    """A server that has answered, and still runs."""
    server = Server.start(folder, journal=kept)
    for tokens, prompt in enumerate(prompts, 2):
        await server.serve(Engine([output((0, tokens, "stop"))]), {"prompt": prompt}, prompt=prompt)
    await written(folder, len(prompts))
    return server


def test_its_columns_are_those_of_all_traffic_and_more() -> None:
    assert [JOURNAL.field(name) for name in TRAFFIC.names] == list(TRAFFIC)
    assert len(JOURNAL) > len(TRAFFIC)


async def test_a_ranker_learns_from_a_journal_with_texts_while_a_server_writes_it(tmp_path: Path) -> None:
    (await serve(tmp_path, "text", *PROMPTS[:2])).close()
    server = await serve(tmp_path, "text", PROMPTS[2])
    assert segments(tmp_path)
    log = read_length_log(LengthLogSource(lengths=tmp_path))
    server.close()
    lengths = dict(zip(log.prompts, log.output_tokens.tolist(), strict=True))
    assert lengths == {"one": 2, "one two": 3, "one two three": 2}
    assert log.notes == ()


async def test_half_a_line_at_the_end_of_what_is_written_is_no_bad_row(tmp_path: Path) -> None:
    server = await serve(tmp_path, "text", *PROMPTS)
    (segment,) = segments(tmp_path)
    with segment.open("ab") as file:
        file.write(b'{"request_id": "chatcmpl-')
    assert len(read_length_log(LengthLogSource(lengths=tmp_path)).prompts) == 3
    server.close()


async def test_what_became_parquet_meanwhile_is_not_read_twice(tmp_path: Path) -> None:
    server = await serve(tmp_path, "text", *PROMPTS)
    (segment,) = segments(tmp_path)
    lines = segment.read_bytes().splitlines()
    rows = pa.Table.from_pylist([json.loads(line) for line in lines], JOURNAL)
    pq.write_table(rows, segment.with_name(segment.name.removesuffix(GROWING_SUFFIX) + ".parquet"))
    assert describe_log(DescribeConfig(log=tmp_path)).rows == 3
    server.close()


@pytest.mark.parametrize("is_running", [True, False], ids=["running", "stopped"])
async def test_what_needs_texts_says_so_of_a_keyed_journal(tmp_path: Path, is_running: bool) -> None:
    server = await serve(tmp_path, "keyed", *PROMPTS)
    if not is_running:
        server.close()
    with pytest.raises(InvalidInput, match=r"a ranker reads texts, but .* is a keyed journal.*PARS_JOURNAL=text"):
        read_length_log(LengthLogSource(lengths=tmp_path))
    described = describe_log(DescribeConfig(log=tmp_path))
    assert (described.rows, described.left_out) == (3, {"no_text": 3})
    assert any("keyed journal" in note for note in described.notes)
    if is_running:
        server.close()


async def test_a_keyed_journal_is_served_traffic_for_a_what_if(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (await serve(tmp_path, "keyed", *PROMPTS)).close()
    traffic = read_served_log(ServedLogSource(log=tmp_path))
    assert traffic.output_tokens.tolist() == [2, 3, 4]
    assert traffic.prompt_tokens.tolist() == [5, 5, 5]
    assert "keyed journal" in caplog.text
