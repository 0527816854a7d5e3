"""A body that is too large to be read, before plain vLLM: it is passed on as it comes, with a long request's place."""

import json
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI, Request
from httpx import ASGITransport, AsyncClient, Response
from prometheus_client import REGISTRY

from registry.ranker import Ranker
from serving.api_bodies import MOST_VALUES
from serving.arrival_clock import ArrivalClock
from serving.champion.ranker_sources import Champion
from serving.champion.served_rankers import EngineRankers
from serving.config import Settings
from serving.http.reception import Reception
from serving.ranking.load import EngineLoad
from serving.ranking.place_finder import PlaceFinder
from serving.ranking.prioritiser import Prioritiser
from tests.rankers import write_ranker
from tests.serving.fakes import make_policy

MAX_BODY_BYTES = 10_000
NOW_US = 1_000
PATIENCE_S = 1.0
LARGE = NOW_US + 750_000
PIECES = 20


@pytest.fixture(scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AsyncClient]:
    """Of an application that answers with the priority and the length that it has got, behind the reception."""
    champion = Champion(7, Ranker.load(write_ranker(tmp_path_factory.mktemp("ranker"))))
    rankers = EngineRankers({"demo-llm": SimpleNamespace(champion=champion)}, {"chat": "demo-llm"}, "chat")
    load = EngineLoad(4)
    finder = PlaceFinder.start(Settings(ranking_backlog_ms=60_000), rankers)
    prioritiser = Prioritiser(make_policy(patience_s=PATIENCE_S), StoppedClock(), load, finder)
    reception = Reception(
        echo(), prioritiser, lambda headers: "bad" not in headers, max_body_bytes=MAX_BODY_BYTES, most_prompts=3
    )
    async with AsyncClient(transport=ASGITransport(reception.serve), base_url="http://test") as client:
        yield client
    finder.close()


class StoppedClock(ArrivalClock):
    def stamp_us(self) -> int:
        return NOW_US


def echo() -> FastAPI:
    app = FastAPI()

    @app.post("/{path:path}")
    async def answer(request: Request) -> dict[str, int]:
        body = await request.body()
        return {"num_bytes": len(body), "priority": int(request.headers["x-vllm-priority"])}

    return app


async def in_pieces(body: bytes) -> AsyncIterator[bytes]:
    size = len(body) // PIECES
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def complete(client: AsyncClient, body: Any, is_announced: bool = True, **others: Any) -> Response:
    content = json.dumps(body).encode()
    return await client.post("/v1/completions", content=content if is_announced else in_pieces(content), **others)


@pytest.mark.parametrize("is_announced", [True, False])
async def test_body_over_the_limit_is_passed_on_whole_and_goes_where_long_requests_go(
    client: AsyncClient, is_announced: bool
) -> None:
    body = {"model": "chat", "prompt": "x" * 2 * MAX_BODY_BYTES}
    before = fail_opens("too_large")
    response = await complete(client, body, is_announced)
    assert response.json() == {"num_bytes": len(json.dumps(body)), "priority": LARGE}
    assert fail_opens("too_large") == before + 1


async def test_size_earns_nothing(client: AsyncClient) -> None:
    small = await complete(client, {"model": "chat", "prompt": [1, 2], "max_tokens": 4000})
    assert NOW_US < small.json()["priority"] < LARGE


async def test_body_at_the_limit_is_read(client: AsyncClient) -> None:
    frame = len(json.dumps({"model": "chat", "prompt": ""}))
    response = await complete(client, {"model": "chat", "prompt": "x" * (MAX_BODY_BYTES - frame)}, is_announced=False)
    assert response.json()["priority"] < LARGE
    last_piece_over = await client.post("/v1/completions", content=in_one(b"x" * (MAX_BODY_BYTES + 1)))
    assert last_piece_over.json() == {"num_bytes": MAX_BODY_BYTES + 1, "priority": LARGE}


async def in_one(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def test_longer_list_of_prompts_than_vllm_takes_is_not_worked_on(client: AsyncClient) -> None:
    asked = REGISTRY.get_sample_value("pars_ranking_seconds_count", {"tier": "encoder"})
    response = await complete(client, {"model": "chat", "prompt": ["one"] * 4, "max_tokens": 4000})
    assert response.json()["priority"] == LARGE
    assert REGISTRY.get_sample_value("pars_ranking_seconds_count", {"tier": "encoder"}) == asked


@pytest.mark.parametrize(
    "field", ['"use_beam_search": true', '"use_beam_search"\n:\r\t1', '"use\\u005Fbeam_searc\\u0068":"on"']
)
@pytest.mark.parametrize("padding", range(0, 1100, 97))
async def test_beam_search_is_refused_wherever_it_stands_in_a_large_body(
    client: AsyncClient, field: str, padding: int
) -> None:
    body = f'{{"prompt": "{"x" * (MAX_BODY_BYTES + padding)}", {field}, "suffix": "{"x" * MAX_BODY_BYTES}"}}'.encode()
    for content in (body, in_pieces(body)):
        response = await client.post("/v1/completions", content=content)
        assert response.status_code == 400
        assert "Beam search" in response.text


@pytest.mark.parametrize(
    "body",
    [
        {"use_beam_search": False, "prompt": "x" * 2 * MAX_BODY_BYTES},
        {"prompt": "x" * 2 * MAX_BODY_BYTES, "use_beam_search": None},
        {"prompt": '{"use_beam_search": true}' * MAX_BODY_BYTES},
    ],
)
async def test_what_only_speaks_of_beam_search_is_passed_on(client: AsyncClient, body: dict[str, Any]) -> None:
    for is_announced in (True, False):
        assert (await complete(client, body, is_announced)).json()["priority"] == LARGE


async def test_body_of_a_stranger_costs_nothing(client: AsyncClient) -> None:
    before = fail_opens("unauthorised")
    assert (await complete(client, {"prompt": "one"}, headers={"bad": "1"})).json()["priority"] < LARGE
    assert fail_opens("unauthorised") == before + 1


@pytest.mark.parametrize("body", [b"[" * 9_000, b'{"prompt": ' + b'{"a":' * 1800, b"{", b"\xff", b"1" * 9_000])
async def test_no_form_of_a_body_fails_a_request(client: AsyncClient, body: bytes) -> None:
    response = await client.post("/v1/chat/completions", content=body)
    assert NOW_US < response.json()["priority"] <= LARGE


def test_prose_of_the_size_that_is_read_is_parsed() -> None:
    sentence = "Of all the lines that are written, few hold more than one comma. "
    assert (sentence * (Settings().max_body_bytes // len(sentence))).count(",") < MOST_VALUES


def fail_opens(reason: str) -> float:
    labels = {"reason": reason, "target_llm": "demo-llm"}
    return REGISTRY.get_sample_value("pars_ranking_fail_opens_total", labels) or 0.0
