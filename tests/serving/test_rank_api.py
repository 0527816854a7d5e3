"""`POST /rank` without a server around it."""

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from registry.ranker import Ranker
from serving.rank_api import RankEndpoint
from serving.reload import Champion
from tests.rankers import write_ranker


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Champion:
    return Champion(7, Ranker.load(write_ranker(tmp_path_factory.mktemp("ranker"))))


async def post(endpoint: RankEndpoint, **request: Any) -> httpx.Response:
    app = Starlette(routes=[Route("/rank", endpoint.rank, methods=["POST"])])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return await client.post("/rank", **request)


async def rank(champion: Champion, **request: Any) -> httpx.Response:
    return await post(RankEndpoint(lambda: champion, lambda _: True), **request)


async def test_prompt_and_one_user_message_are_ranked_alike(champion: Champion) -> None:
    by_prompt = await rank(champion, json={"prompt": "one two three"})
    by_messages = await rank(champion, json={"messages": [{"role": "user", "content": "one two three"}]})
    assert by_prompt.status_code == 200
    assert by_prompt.json() == by_messages.json()
    assert by_prompt.json()["score"] == 3
    assert by_prompt.json()["ranker_version"] == 7
    assert set(by_prompt.json()) == {"score", "predicted_tokens", "quantile", "ranker_version"}


async def test_max_tokens_caps_the_quantile(champion: Champion) -> None:
    prompt = "one " * 50
    whole = (await rank(champion, json={"prompt": prompt})).json()
    capped = (await rank(champion, json={"prompt": prompt, "max_tokens": 2})).json()
    assert capped["quantile"] < whole["quantile"]


@pytest.mark.parametrize("prompt", ["🌍 " * 3, "مرحبا بالعالم", "x " * 500_000])
async def test_any_text_is_ranked(champion: Champion, prompt: str) -> None:
    response = await rank(champion, json={"prompt": prompt})
    assert response.status_code == 200
    assert 0 < response.json()["quantile"] < 1


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"content": b"{"}, "JSON"),
        ({"content": b"\xff\xfe"}, "JSON"),
        ({"content": b""}, "JSON"),
        ({"json": []}, "not a request to rank"),
        ({"json": {}}, "either `prompt` or `messages`"),
        ({"json": {"prompt": "a", "messages": []}}, "either `prompt` or `messages`"),
        ({"json": {"prompt": ["a", "b"]}}, "prompt"),
        ({"json": {"promt": "a"}}, "promt"),
        ({"json": {"prompt": "a", "max_tokens": 0}}, "max_tokens"),
        ({"json": {"prompt": "  "}}, "empty"),
        ({"json": {"messages": []}}, "empty"),
        ({"json": {"messages": ["hello"]}}, "messages"),
        ({"json": {"messages": [{"content": "hello"}]}}, "role"),
        ({"json": {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}}, "image"),
    ],
)
async def test_what_cannot_be_ranked_gets_a_clear_400(champion: Champion, request_: Any, words: str) -> None:
    response = await rank(champion, **request_)
    assert response.status_code == 400
    assert words in response.json()["error"]["message"]


async def test_without_the_key_it_is_401_and_without_ranking_503(champion: Champion) -> None:
    assert (await post(RankEndpoint(lambda: champion, lambda _: False), json={})).status_code == 401
    assert (await post(RankEndpoint(None, lambda _: True), json={})).status_code == 503
