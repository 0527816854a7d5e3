"""`POST /rank` without a server around it."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from registry.artefact.joint import JointSample
from registry.ranker import Ranker
from serving.arrival_clock import ArrivalClock
from serving.champion.follower import Champion
from serving.champion.served_rankers import EngineRankers
from serving.http.arrival_layer import ArrivalLayer
from serving.http.rank_route import RankRoute
from serving.work.step_cost import StepCost
from tests.rankers import write_ranker
from tests.serving.fakes import FakeRanker

MAX_BODY_BYTES = 2_000_000


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Champion:
    return Champion(7, Ranker.load(write_ranker(tmp_path_factory.mktemp("ranker"))))


async def post(endpoint: RankRoute, **request: Any) -> httpx.Response:
    app = Starlette(routes=[Route("/rank", endpoint.rank, methods=["POST"])])
    layer = ArrivalLayer(app, ArrivalClock(), False, MAX_BODY_BYTES)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(layer), base_url="http://test") as client:
        return await client.post("/rank", **request)


async def rank(champion: Champion, **request: Any) -> httpx.Response:
    return await post(endpoint_of(champion), **request)


def endpoint_of(champion: Champion | None, is_authorised: bool = True, limit_s: float = 10) -> RankRoute:
    served = EngineRankers({"demo-llm": SimpleNamespace(champion=champion)}, {}, "demo-llm") if champion else None
    ranker_of = served.ranker_of if served else None
    return RankRoute(ranker_of, lambda _: is_authorised, limit_s=limit_s, max_body_bytes=MAX_BODY_BYTES)


async def test_prompt_and_one_user_message_are_ranked_alike(champion: Champion) -> None:
    by_prompt = await rank(champion, json={"prompt": "one two three"})
    by_messages = await rank(champion, json={"messages": [{"role": "user", "content": "one two three"}]})
    assert by_prompt.status_code == 200
    assert by_prompt.json() == by_messages.json()
    assert by_prompt.json()["score"] == 3
    assert by_prompt.json()["ranker_version"] == 7
    others = {"score", "predicted_tokens", "quantile", "ranker_version"}
    assert set(by_prompt.json()) == {"work_s", "order_by", "tier", "correction", *others}
    assert [by_prompt.json()[name] for name in ("work_s", "order_by", "tier")] == [None, "length", "encoder"]


async def test_where_the_order_is_by_work_a_long_prompt_of_the_same_score_is_behind(tmp_path: Path) -> None:
    pairs = {"prompt_tokens": (10.0, 1000.0), "predicted_tokens": (3.0, 30.0), "shares": (0.5, 0.5)}
    joint = JointSample(**pairs, tokens_per_character=0.5)
    ranker = Ranker.load(write_ranker(tmp_path, weight=0.0, joint=joint))
    served = EngineRankers({"demo-llm": SimpleNamespace(champion=Champion(7, ranker))}, {}, "demo-llm")
    settings = SimpleNamespace(max_num_seqs=10, max_num_batched_tokens=1000)
    cost = StepCost(fixed_s=0.01, per_token_s=1e-4, per_sequence_s=0)
    served.order_by_cost(cost, SimpleNamespace(scheduler_config=settings))
    endpoint = RankRoute(served.ranker_of, lambda _: True, 10, MAX_BODY_BYTES)
    short, long = [(await post(endpoint, json={"prompt": "word " * words})).json() for words in (2, 200)]
    assert short["order_by"] == long["order_by"] == "work"
    assert short["predicted_tokens"] == long["predicted_tokens"] == 1.0
    assert long["work_s"] == pytest.approx(500 * 1.1e-4 + 1.1e-3)
    assert short["quantile"] < long["quantile"]


async def test_model_says_whose_ranker_and_one_without_is_a_404(champion: Champion) -> None:
    served = EngineRankers({"demo-llm": SimpleNamespace(champion=champion)}, {"chat": "demo-llm"}, "other")
    endpoint = RankRoute(served.ranker_of, lambda _: True, 10, MAX_BODY_BYTES)
    assert (await post(endpoint, json={"prompt": "one two", "model": "chat"})).json()["score"] == 2
    for unknown in ({"prompt": "one", "model": "other"}, {"prompt": "one"}):
        response = await post(endpoint, json=unknown)
        assert response.status_code == 404
        assert "PARS_RANKERS" in response.json()["error"]["message"]


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
        ({"content": b"[" * 100_000}, "JSON"),
        ({"content": rb'{"prompt": "\ud800"}'}, "JSON"),
        ({"json": []}, "not a request to rank"),
        ({"json": {}}, "either `prompt` or `messages`"),
        ({"json": {"prompt": "a", "messages": []}}, "either `prompt` or `messages`"),
        ({"json": {"prompt": ["a", "b"]}}, "prompt"),
        ({"json": {"promt": "a"}}, "promt"),
        ({"json": {"prompt": "a", "max_tokens": 0}}, "max_tokens"),
        ({"json": {"prompt": "  "}}, "empty"),
        ({"json": {"messages": []}}, "empty"),
        ({"json": {"messages": ["hello"]}}, "messages"),
        ({"json": {"messages": [{"role": "user", "content": 5}]}}, "role"),
        ({"json": {"messages": [{"role": "user", "content": [5]}]}}, "role"),
        ({"json": {"messages": [{"content": "hello"}]}}, "role"),
        ({"json": {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}}, "image"),
    ],
)
async def test_what_cannot_be_ranked_gets_a_clear_400(champion: Champion, request_: Any, words: str) -> None:
    response = await rank(champion, **request_)
    assert response.status_code == 400
    assert words in response.json()["error"]["message"]


async def test_without_the_key_it_is_401_and_without_ranking_503(champion: Champion) -> None:
    assert (await post(endpoint_of(champion, is_authorised=False), json={})).status_code == 401
    assert (await post(endpoint_of(None), json={})).status_code == 503


async def test_body_at_the_limit_is_ranked_and_a_longer_one_is_refused(champion: Champion) -> None:
    frame = len('{"prompt": ""}')
    for num_bytes, status in ((MAX_BODY_BYTES, 200), (MAX_BODY_BYTES + 1, 413)):
        content = b'{"prompt": "' + b"x" * (num_bytes - frame) + b'"}'
        response = await rank(champion, content=content)
        assert response.status_code == status
    message = response.json()["error"]["message"]
    assert message.startswith(
        "A body to rank holds at most 2000000 bytes and 100000 values, but this one has more: send"
    )


async def test_body_of_more_values_than_are_parsed_is_refused(champion: Champion) -> None:
    for num_messages, status in ((30_000, 200), (40_000, 413)):
        messages = [{"role": "user", "content": "a"}] * num_messages
        assert (await rank(champion, json={"messages": messages})).status_code == status


async def test_body_that_does_not_say_its_length_is_not_read_to_its_end(champion: Champion) -> None:
    num_chunks = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal num_chunks
        for _ in range(100):
            num_chunks += 1
            yield b" " * (MAX_BODY_BYTES // 4)

    response = await rank(champion, content=body())
    assert response.status_code == 413
    assert num_chunks == 5


async def test_announced_length_is_believed_before_anything_is_read(champion: Champion) -> None:
    async def body() -> AsyncIterator[bytes]:
        raise AssertionError("it is read")
        yield b""

    response = await rank(champion, content=body(), headers={"Content-Length": str(MAX_BODY_BYTES + 1)})
    assert response.status_code == 413


def standing_in(ranker: FakeRanker) -> RankRoute:
    served = SimpleNamespace(
        version=7,
        predict=ranker.predict,
        known=ranker.known,
        has_instant=ranker.has_instant,
        name=ranker.name,
        target_llm=ranker.target_llm,
    )
    return RankRoute(lambda _: served, lambda _: True, 0.1, 1000)  # type: ignore[arg-type, return-value]


async def test_ranker_that_hangs_is_a_503_and_recovers() -> None:
    ranker = FakeRanker()
    endpoint = standing_in(ranker)
    ranker.may_go_on.clear()
    slow = await post(endpoint, json={"prompt": "one"})
    assert slow.status_code == 503
    assert "The ranker has not answered within 0.1 s" in slow.json()["error"]["message"]
    # The thread may have begun a moment after the request did, so it is not hanging until that moment is over.
    while "hanging" not in (hanging := await post(endpoint, json={"prompt": "two"})).json()["error"]["message"]:
        pass
    assert hanging.status_code == 503
    ranker.may_go_on.set()
    while (response := await post(endpoint, json={"prompt": "three"})).status_code == 503:
        pass
    assert response.json()["score"] == 1
    assert ranker.asked == ["one", "three"]


async def test_instant_tier_answers_where_the_encoder_does_not_unless_that_was_asked_for() -> None:
    ranker = FakeRanker(has_instant=True)
    endpoint = standing_in(ranker)
    ranker.may_go_on.clear()
    for _ in range(3):  # it does not answer in time, and then hangs
        response = await post(endpoint, json={"prompt": "one two"})
        assert response.json() == {
            "score": 1.0,
            "predicted_tokens": 1.0,
            "quantile": 0.1,
            "work_s": None,
            "correction": 1.0,
            "order_by": "length",
            "tier": "instant",
            "ranker_version": 7,
        }
        assert (await post(endpoint, json={"prompt": "one two", "tier": "encoder"})).status_code == 503
    ranker.may_go_on.set()


async def test_tier_that_is_asked_for_answers() -> None:
    endpoint = standing_in(FakeRanker(has_instant=True, remembered={"read before": 9.0}))
    for tier, score in (("instant", 1.5), ("encoder", 3)):
        answer = (await post(endpoint, json={"prompt": "one two three", "tier": tier})).json()
        assert (answer["tier"], answer["score"]) == (tier, score)
    assert (await post(endpoint, json={"prompt": "read before"})).json()["score"] == 9
    wrong = await post(endpoint, json={"prompt": "one", "tier": "middle"})
    assert wrong.status_code == 400
    assert "'instant' or 'encoder'" in wrong.json()["error"]["message"]
    refused = await post(standing_in(FakeRanker()), json={"prompt": "one", "tier": "instant"})
    assert refused.status_code == 400
    assert "no instant tier" in refused.json()["error"]["message"]


@pytest.mark.parametrize("error", [FloatingPointError("not finite"), KeyError("zanzibar"), TypeError()])
async def test_ranker_that_fails_is_a_503_and_not_the_clients_fault(error: Exception) -> None:
    ranker = FakeRanker(error=error)
    endpoint = endpoint_of(Champion(1, ranker))  # type: ignore[arg-type]
    response = await post(endpoint, json={"prompt": "one"})
    assert response.status_code == 503
    assert type(error).__name__ in response.json()["error"]["message"]
    assert "zanzibar" not in response.text
