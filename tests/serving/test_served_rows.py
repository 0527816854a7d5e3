"""The journal of a real server: what vLLM has answered, row by row."""

from collections.abc import AsyncIterator
from math import exp

import httpx
import pytest

from tests.servers import RunningServer
from tests.serving.journal.journals import noted_of

pytestmark = pytest.mark.slow

CHAT = {"model": "demo-llm", "messages": [{"role": "user", "content": "hello there"}], "user": "ada"}


def predicted(words: int) -> float:
    """What the champion, which counts words, makes of so many."""
    return exp(words / 10)


@pytest.fixture
async def client(server: RunningServer) -> AsyncIterator[httpx.AsyncClient]:
    async with server.client() as client:
        yield client


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
async def test_each_answer_of_a_chat_is_a_row(client: httpx.AsyncClient, server: RunningServer, streams: bool) -> None:
    session = f"chat {streams}"
    body = {**CHAT, "n": 2, "max_tokens": 6, "stream": streams, "session_id": session, "ignore_eos": True}
    assert (await client.post("/v1/chat/completions", json=body)).status_code == 200
    found = await noted_of(server, session, 2)
    assert [(row["answer"], row["output_tokens"], row["ending"]) for row in found] == [(0, 6, "cut"), (1, 6, "cut")]
    for row in found:
        assert row["prompt_tokens"] > 2
        assert row["predicted_tokens"] == pytest.approx(predicted(2))
        assert row.get("instant_tokens") in (None, row["predicted_tokens"])
        assert row["ranker_version"] == "models:/pars-demo-llm/1"
        assert 0 <= row["held_s"] <= row["time_to_first_token_s"] <= row["end_to_end_s"] < 60
        assert row["waiting_s"] >= 0 and row["service_s"] > 0
        assert "hello" not in str(row) and "ada" not in str(row["tenant"])


async def test_each_prompt_of_a_list_is_a_row(client: httpx.AsyncClient, server: RunningServer) -> None:
    prompts = ["one", "one two", "one two three"]
    body = {"model": "demo-llm", "prompt": prompts, "max_tokens": 3, "session_id": "list", "ignore_eos": True}
    assert (await client.post("/v1/completions", json=body)).status_code == 200
    found = await noted_of(server, "list", 3)
    assert sorted(row["predicted_tokens"] for row in found) == pytest.approx([predicted(words) for words in (1, 2, 3)])
    assert len({row["prompt_key"] for row in found}) == 3


async def test_who_leaves_is_noted_with_what_he_has_got(client: httpx.AsyncClient, server: RunningServer) -> None:
    body = {**CHAT, "max_tokens": 3000, "stream": True, "session_id": "leaves", "ignore_eos": True}
    async with client.stream("POST", "/v1/chat/completions", json=body) as response:
        async for _ in response.aiter_bytes():
            break
    (row,) = await noted_of(server, "leaves", 1)
    assert (row["ending"], row["ended_by"]) == ("aborted", "left")
    assert 0 < row["output_tokens"] < 3000
