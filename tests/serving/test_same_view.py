"""A request is the same to a ranker wherever it is read: before the engine, in plain vLLM, by `/rank`, in a journal."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.routing import Route

from registry.request_features import CAP_FEATURE, FEATURES, RequestView, view_of
from serving.arrival_clock import ArrivalClock
from serving.http.engine_requests import requests_written
from serving.http.rank_route import RankRoute
from serving.ranking.load import EngineLoad
from serving.ranking.prioritiser import Prioritiser
from serving.request_stages import HttpRequest, as_current
from tests.serving.fakes import FakeEngine, FakeRanker, make_policy, only
from tests.serving.journal.journals import Engine, Server, output
from traffic.length_log import LengthLogSource, read_length_log

TOOLS = [
    {
        "type": "function",
        "function": {"name": "search", "description": "Searches.", "parameters": {"properties": {"query": {}}}},
    }
]
SCHEMA = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}
SYSTEM, USER = {"role": "system", "content": "Be brief."}, {"role": "user", "content": "one two"}
CHAT = {"messages": [SYSTEM, USER]}

BODIES: dict[str, tuple[str, dict[str, Any]]] = {
    "completion": ("/v1/completions", {"prompt": "one two", "max_tokens": 5, "temperature": 0.5}),
    "nothing asked for": ("/v1/chat/completions", CHAT),
    "tools": ("/v1/chat/completions", {**CHAT, "tools": TOOLS, "tool_choice": "auto", "max_completion_tokens": 9}),
    "effort": ("/v1/chat/completions", {**CHAT, "reasoning_effort": "high", "response_format": SCHEMA, "n": 2}),
    "thinking": ("/v1/chat/completions", {**CHAT, "chat_template_kwargs": {"enable_thinking": True}}),
    "responses": (
        "/v1/responses",
        {"input": "one two", "instructions": "Be brief.", "reasoning": {"effort": "low"}, "max_output_tokens": 7},
    ),
    "messages": (
        "/v1/messages",
        {
            "messages": [USER],
            "system": "Be brief.",
            "max_tokens": 5,
            "thinking": {"type": "enabled", "budget_tokens": 9},
        },
    ),
}
body_cases = pytest.mark.parametrize(("path", "body"), BODIES.values(), ids=BODIES)
cap_cases = pytest.mark.parametrize("caps", [True, False], ids=["capped", "uncapped"])


def expected(path: str, body: dict[str, Any], caps: bool) -> RequestView:
    text = "one two" if path == "/v1/completions" else "system: Be brief.\n\nuser: one two"
    view = view_of(text, body)
    return view if caps else view.without(CAP_FEATURE)


async def at_the_choke_point(path: str, body: dict[str, Any], caps: bool) -> list[RequestView]:
    """What both tiers are asked, in an engine that is full."""
    ranker = FakeRanker(has_instant=True)
    finder = only(lambda: ranker)
    clock, load = ArrivalClock(), EngineLoad(0)
    prioritiser = Prioritiser(make_policy(cap_by_max_tokens=caps), clock, load, finder)
    http_request = HttpRequest(clock, path)
    http_request.see({"type": "http.request", "body": httpx.Request("POST", "http://x", json=body).content})
    with as_current(http_request):
        outputs = prioritiser.wrap(FakeEngine().generate)(body.get("prompt"), SimpleNamespace(max_tokens=9, n=1), "id")
    _ = [output async for output in outputs]
    finder.close()
    return ranker.views


async def by_rank(path: str, body: dict[str, Any], caps: bool) -> list[RequestView]:
    ranker = FakeRanker()
    served = SimpleNamespace(
        version=7,
        predict=ranker.predict,
        known=ranker.known,
        has_instant=False,
        name=ranker.name,
        target_llm=ranker.target_llm,
    )
    route = RankRoute(lambda _: served, lambda _: True, 10, 10_000, has_caps=caps)  # type: ignore[arg-type, return-value]
    asked = {name: value for name, value in body.items() if name not in ("input", "instructions", "system", "messages")}
    asked |= {} if "prompt" in body else {"messages": [SYSTEM, USER]}
    app = Starlette(routes=[Route("/rank", route.rank, methods=["POST"])])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answer = await client.post("/rank", json=asked)
    assert answer.status_code == 200, answer.text
    return ranker.views


@body_cases
@cap_cases
async def test_a_request_is_the_same_to_a_ranker_wherever_it_is_read(
    path: str, body: dict[str, Any], caps: bool
) -> None:
    view = expected(path, body, caps)
    (in_plain_vllm,) = requests_written(path, body, Headers(), caps=caps, most_prompts=10)
    assert in_plain_vllm.view == view
    assert set(await at_the_choke_point(path, body, caps)) == {view}
    assert await by_rank(path, body, caps) == [view]


@body_cases
async def test_a_ranker_trained_on_the_journal_reads_what_was_served(
    tmp_path: Path, path: str, body: dict[str, Any]
) -> None:
    server = Server.start(tmp_path, journal="text")
    others = [("/v1/completions", {"prompt": f"three {number}", "temperature": 0.5}) for number in range(2)]
    for tokens, (its_path, its) in enumerate([(path, body), *others], 1):
        await server.serve(Engine([output((0, tokens, "stop"))]), its, path=its_path, prompt=its.get("prompt"))
    server.close()
    log = read_length_log(LengthLogSource(lengths=tmp_path))
    assert expected(path, body, caps=True) in log.views
    assert all(view.features[FEATURES.index("log_answers")] is not None for view in log.views)


async def test_without_a_body_nobody_knows_what_is_asked_for() -> None:
    ranker = FakeRanker(has_instant=True)
    finder = only(lambda: ranker)
    generate = Prioritiser(make_policy(), ArrivalClock(), EngineLoad(4), finder).wrap(FakeEngine().generate)
    _ = [output async for output in generate("one two", SimpleNamespace(max_tokens=9, n=1), "id")]
    finder.close()
    assert set(ranker.views) == {view_of("one two")}
    await asyncio.sleep(0)
