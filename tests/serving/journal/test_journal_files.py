"""Files of the journal: who may read them, what a fault leaves of them, how long they are kept."""

import asyncio
import errno
import json
import logging
import os
import shutil
import stat
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serving.journal import journal_writer
from serving.journal.files.journal_folder import JournalFolder, Limits
from serving.journal.files.retention import DAY_S, sweep
from serving.journal.files.rolling import roll, write_parquet
from serving.journal.files.segment import Segment, abandoned, running_beside, segments
from serving.journal.journal_columns import JOURNAL
from serving.journal.keys import find_keys
from serving.metrics import JOURNAL_DROPPED
from tests.serving.journal.journals import Engine, Server, output, rows, written
from traffic.files.log_files import GROWING_SUFFIX

LIMITS = Limits(1 << 30, 30)


def dropped(reason: str) -> float:
    return JOURNAL_DROPPED.labels(reason)._value.get()  # type: ignore[no-any-return]


async def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    server = Server.start(folder)
    await server.serve(Engine(), prompt="one")
    await written(folder, 1)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}
    server.close()
    modes |= {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {suffix for name in modes for suffix in (".open.jsonl", ".parquet", "key") if name.endswith(suffix)} == {
        ".open.jsonl",
        ".parquet",
        "key",
    }
    assert modes.pop(".journal") == 0o700
    assert set(modes.values()) == {0o600}


async def test_what_cannot_be_written_stops_no_request_and_is_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_writer, "RETRY_S", 0.3)
    before = dropped("unwritable")
    (tmp_path / "file").write_text("no folder")
    server = Server.start(tmp_path / "file" / "journal")
    for _ in range(3):
        await server.serve(Engine(), prompt="one")
    await asyncio.sleep(1)
    assert dropped("unwritable") == before + 3
    assert caplog.text.count("cannot be written") == 1, "said once"
    (tmp_path / "file").unlink()
    await asyncio.sleep(1)
    await server.serve(Engine(), prompt="one")
    server.close()
    assert len(rows(tmp_path / "file" / "journal")) == 1, "the disk is back"


async def test_a_full_disk_leaves_whole_lines_and_no_new_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_writer, "RETRY_S", 0.2)
    server = Server.start(tmp_path)
    await server.serve(Engine(), prompt="one")
    await written(tmp_path, 1)
    write, is_full = os.write, True

    def write_half(file: int, data: bytes) -> int:
        if not is_full:
            return write(file, data)
        if data.startswith(b"{"):  # the beginning still fits
            return write(file, data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", write_half)
    before = dropped("unwritable")
    await server.serve(Engine(), prompt="one")
    await asyncio.sleep(0.6)
    assert dropped("unwritable") == before + 1
    is_full = False
    await asyncio.sleep(0.6)
    await server.serve(Engine(), prompt="one")
    await written(tmp_path, 2)
    assert len(segments(tmp_path)) == 1
    server.close()
    assert len(rows(tmp_path)) == 2


async def test_a_folder_that_somebody_removes_is_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    server = Server.start(folder)
    await server.serve(Engine(), prompt="one")
    await written(folder, 1)
    shutil.rmtree(folder)
    await asyncio.sleep(1)
    await server.serve(Engine(), prompt="one")
    server.close()
    assert len(rows(folder)) == 1


async def test_more_than_can_be_written_is_dropped_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_writer, "MOST_WAITING", 5)
    before = dropped("full")
    server = Server.start(tmp_path)
    for _ in range(8):
        await server.serve(Engine(), prompt="one")
    assert dropped("full") == before + 3
    server.close()
    assert len(rows(tmp_path)) == 5


def test_a_segment_is_its_owners_until_he_dies(tmp_path: Path) -> None:
    JournalFolder(tmp_path, LIMITS).make()
    segment = Segment(tmp_path)
    segment.append(b'{"request_id": "a"}\n')
    JournalFolder(tmp_path, LIMITS).settle()
    assert segments(tmp_path) == [segment.path]
    os.close(segment._file)  # as the kernel does
    with abandoned(segment.path) as is_abandoned:
        assert is_abandoned
    JournalFolder(tmp_path, LIMITS).settle()
    assert segments(tmp_path) == []
    assert [row["request_id"] for row in rows(tmp_path)] == ["a"]


def test_broken_lines_are_left_out_and_counted(tmp_path: Path) -> None:
    JournalFolder(tmp_path, LIMITS).make()
    path = tmp_path / f"20260101T000000Z-1-abc{GROWING_SUFFIX}"
    broken = (b"\0\0\0", b'{"request_id": 5}', b'{"output_tokens": "x"}')
    path.write_bytes(b"\n".join([b'{"request_id": "a"}', *broken, b'{"request_id": "b"}', b'{"re']))
    assert roll(path) == 4
    assert [row["request_id"] for row in rows(tmp_path)] == ["a", "b"]
    assert not path.exists()


async def test_requests_that_ran_when_the_server_was_killed_are_aborted_ones(tmp_path: Path) -> None:
    JournalFolder(tmp_path, LIMITS).make()
    segment = Segment(tmp_path)
    asked = {"arrival_s": 1.0, "prompt_key": "k", "ending": "aborted"}
    lines = [json.dumps(asked | {"request_id": name}).encode() + b"\n" for name in ("ended", "running")]
    segment.note_running(b"".join(lines))
    segment.append(json.dumps(asked | {"request_id": "ended", "ending": "ended", "output_tokens": 3}).encode() + b"\n")
    os.close(segment._file)
    JournalFolder(tmp_path, LIMITS).settle()
    ended = {row["request_id"]: (row["ending"], row.get("ended_by")) for row in rows(tmp_path)}
    assert ended == {"ended": ("ended", None), "running": ("aborted", "killed")}
    assert not running_beside(segment.path).exists()


async def test_a_server_notes_what_runs_for_long_until_it_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_writer, "NOTE_S", 0.1)
    may_end = asyncio.Event()

    class Slow(Engine):
        async def generate(self, *_: object, **__: object):  # type: ignore[no-untyped-def,override]
            yield output((0, 2, None))
            await may_end.wait()
            yield output((0, 2, "stop"))

    server = Server.start(tmp_path)
    running = asyncio.create_task(server.serve(Slow(), prompt="one"))
    for _ in range(200):
        if notes := list((tmp_path / ".journal").glob("*.running")):
            break
        await asyncio.sleep(0.02)
    (line,) = notes[0].read_bytes().splitlines()
    noted = json.loads(line)
    assert (noted["request_id"], noted["ending"]) == ("chatcmpl-0123456789abcdef", "aborted")
    await asyncio.sleep(0.5)
    assert len(notes[0].read_bytes().splitlines()) == 1, "once is enough"
    may_end.set()
    await running
    server.close()
    assert [row["ending"] for row in rows(tmp_path)] == ["ended"]
    assert not list((tmp_path / ".journal").glob("*.running"))


def test_the_oldest_go_where_it_is_too_much_or_too_old(tmp_path: Path) -> None:
    JournalFolder(tmp_path, LIMITS).make()
    for day in ("01", "02", "03"):
        table = pa.Table.from_pylist([{"request_id": day}], JOURNAL)
        write_parquet(table, tmp_path / f"202601{day}T000000Z-1-abc.parquet")
    size = (tmp_path / "20260103T000000Z-1-abc.parquet").stat().st_size
    now_s = 1767398400.0  # 2026-01-03 00:00
    assert sweep(tmp_path, 10 * size, 30, now_s) == 3 * size
    assert sweep(tmp_path, 10 * size, 1.5, now_s) == 2 * size
    assert [row["request_id"] for row in rows(tmp_path)] == ["02", "03"]
    assert sweep(tmp_path, size, 30, now_s) == size
    assert [row["request_id"] for row in rows(tmp_path)] == ["03"]
    assert sweep(tmp_path, size, 30, now_s + 40 * DAY_S) == 0


def test_of_several_who_make_the_key_one_wins(tmp_path: Path) -> None:
    JournalFolder(tmp_path, LIMITS).make()
    first, second = find_keys(tmp_path, None), find_keys(tmp_path, None)
    assert first.of("prompt", "x") == second.of("prompt", "x") != first.of("tenant", "x")
    assert find_keys(tmp_path, "another secret!!").of("prompt", "x") != first.of("prompt", "x")
    assert [path.name for path in (tmp_path / ".journal").iterdir()] == ["key"]


async def test_a_large_segment_becomes_parquet_while_the_server_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    monkeypatch.setattr("serving.journal.files.journal_folder.ROLL_BYTES", 500)
    server = Server.start(tmp_path)
    for _ in range(3):
        await server.serve(Engine(), prompt="one")
        await asyncio.sleep(0.5)
    assert len(list(tmp_path.glob("*.parquet"))) >= 2
    server.close()
    assert len(rows(tmp_path)) == 3
    assert pq.read_schema(next(tmp_path.glob("*.parquet"))).names == JOURNAL.names
    assert not caplog.records
