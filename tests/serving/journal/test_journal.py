"""What is noted of requests on their way through the choke point."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from serving.journal.keys import find_keys
from tests.serving.journal.journals import Engine, Server, output, rows

SECRET = "s" * 32
CHAT = {
    "model": "demo-llm",
    "messages": [
        {"role": "system", "content": "You are Zanzibar."},
        {"role": "user", "content": "three short words"},
    ],
    "max_tokens": 50,
    "tools": [{"type": "function", "function": {"name": "zanzibar_tool"}}],
    "user": "zanzibar@example.org",
    "metadata": {"session_id": "zanzibar-session"},
}


async def served(folder: Path, body: dict[str, Any] | None, **how: Any) -> list[dict[str, Any]]:
    """The rows of one request."""
    settings = {name: how.pop(name) for name in list(how) if name.startswith("journal")}
    server = Server.start(folder, **settings)
    try:
        await server.serve(how.pop("engine", Engine()), body, **how)
    finally:
        server.close()
    return rows(folder)


async def test_a_row_says_what_was_predicted_and_what_came_of_it(tmp_path: Path) -> None:
    body = {"prompt": "three short words", "model": "demo-llm"}
    (row,) = await served(tmp_path / "journal", body, prompt=body["prompt"])
    times = {name: row.pop(name) for name in ("arrival_s", "time_to_first_token_s", "end_to_end_s", "held_s")}
    assert times["arrival_s"] > 1.7e9
    assert 0 <= times["held_s"] <= times["time_to_first_token_s"] <= times["end_to_end_s"] < 10
    assert row.pop("prompt_key") == find_keys(tmp_path / "journal", None).of("prompt", "three short words")
    assert row == {
        "request_id": "chatcmpl-0123456789abcdef",
        "model": "demo-llm",
        "prompt_tokens": 5,
        "output_tokens": 7,
        "ending": "ended",
        "ended_by": "stop",
        "answer": 0,
        "predicted_tokens": 1.5,
        "instant_tokens": 1.5,
        "correction": 1.0,
        "quantile": 0.15,
        "placed_by": "instant",
        "ranker_version": "models:/pars-demo-llm/1",
        "ranker_digest": "0" * 64,
        "waiting_s": 0.5,
        "service_s": 2.0,
        "preemptions": 1,
        "cached_tokens": 2,
    }


async def test_the_first_token_of_an_answer_that_comes_as_a_whole_is_vllms(tmp_path: Path) -> None:
    (row,) = await served(tmp_path, None, prompt="one", engine=Engine([output((0, 7, "stop"))]), pieces=False)
    assert row["time_to_first_token_s"] == pytest.approx(row["held_s"] + 1.0)


async def test_keyed_rows_hold_no_word_of_the_client(tmp_path: Path) -> None:
    how = {"path": "/v1/chat/completions", "request_id": "zanzibar-1", "session_id": None}
    (row,) = await served(tmp_path, CHAT, journal_key=SECRET, **how)
    assert "zanzibar" not in re.sub(r"\s", "", str(row)).lower()
    keys = find_keys(tmp_path, SECRET)
    assert row["system_key"] == keys.of("system", "You are Zanzibar.")
    assert row["tenant"] == keys.of("tenant", "zanzibar@example.org")
    assert row["session"] == keys.of("session", "zanzibar-session")
    assert row["params"] == '{"max_tokens": 50, "tools": [37]}'
    on_disk = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"anzibar" not in on_disk
    assert SECRET.encode() not in on_disk


async def test_text_rows_hold_what_a_ranker_is_trained_on(tmp_path: Path) -> None:
    (row,) = await served(tmp_path, CHAT, path="/v1/chat/completions", journal="text")
    assert row["prompt"] == "system: You are Zanzibar.\n\nuser: three short words"
    assert '"content": "three short words"' in row["messages"]
    assert (row["tenant"], row["session"]) == ("zanzibar@example.org", "zanzibar-session")
    assert "zanzibar_tool" in row["params"]
    assert len(row["prompt_key"]) == 64


async def test_what_is_cut_or_left_or_fails_is_noted_as_that(tmp_path: Path) -> None:
    server = Server.start(tmp_path)
    await server.serve(Engine([output((0, 4, "length"))]), prompt="a b")
    await server.serve(Engine(), prompt="a b", stop_after=1)
    with pytest.raises(RuntimeError):
        await server.serve(Engine([output((0, 2, None)), RuntimeError("broken")]), prompt="a b")
    with pytest.raises(RuntimeError):
        await server.serve(Engine([RuntimeError("at once")]), prompt="a b")
    server.close()
    assert [(row["ending"], row["ended_by"], row.get("output_tokens")) for row in rows(tmp_path)] == [
        ("cut", "length", 4),
        ("aborted", "left", 3),
        ("aborted", "failed", 2),
        ("aborted", "failed", None),
    ]


async def test_what_still_runs_at_a_stop_is_noted_as_that(tmp_path: Path) -> None:
    server = Server.start(tmp_path)

    class Endless(Engine):
        async def generate(self, *_: Any, **__: Any) -> Any:
            yield output((0, 2, None))
            await asyncio.sleep(60)

    running = asyncio.create_task(server.serve(Endless(), prompt="a b"))
    while server.prioritiser._load.num_sequences == 0 or not next(iter(server.journal._running)).output_tokens:
        await asyncio.sleep(0)
    server.close()
    running.cancel()
    (row,) = rows(tmp_path)
    assert (row["ending"], row["ended_by"], row["output_tokens"]) == ("aborted", "stopping", 2)


@pytest.mark.parametrize("pieces", [True, False], ids=["streamed", "whole"])
async def test_each_of_several_answers_has_a_row(tmp_path: Path, pieces: bool) -> None:
    outputs = [output((0, 2, None)), output((1, 3, "stop")), output((0, 4 if pieces else 6, "length"))]
    found = await served(tmp_path, None, prompt="a b", engine=Engine(outputs), pieces=pieces)
    assert [(row["answer"], row["output_tokens"], row["ending"]) for row in found] == [(0, 6, "cut"), (1, 3, "ended")]
    assert len({row["request_id"] for row in found}) == 1


async def test_steps_of_beam_search_are_no_rows(tmp_path: Path) -> None:
    assert await served(tmp_path, {"prompt": "a b", "use_beam_search": True}, prompt="a b") == []


async def test_a_request_that_nobody_expected_is_left_out_and_the_others_are_not(tmp_path: Path) -> None:
    server = Server.start(tmp_path)
    await server.serve(Engine(), {"messages": [{"role": 1, "content": {"x": "y"}}]}, path="/v1/chat/completions")
    await server.serve(Engine(), {"prompt": "\ud83d half a character"}, prompt="\ud83d half a character")
    server.close()
    assert rows(tmp_path)[-1]["output_tokens"] == 7


async def test_off_writes_nothing(tmp_path: Path) -> None:
    assert await served(tmp_path / "journal", None, prompt="a b", journal="off") == []
    assert not (tmp_path / "journal").exists()
