"""At the choke point a prompt's work is that of the tokens which the engine gets, whatever the client has sent."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from registry.artefact.joint import JointSample
from registry.ranker import Ranker
from serving.arrival_clock import ArrivalClock
from serving.champion.ranker_sources import Champion
from serving.champion.served_rankers import EngineRankers
from serving.config import Settings
from serving.ranking.load import EngineLoad
from serving.ranking.place_finder import PlaceFinder
from serving.ranking.prioritiser import Prioritiser
from serving.request_stages import HTTP_REQUEST, HttpRequest, Size
from serving.work.step_cost import StepCost
from tests.rankers import write_ranker
from tests.serving.fakes import FakeEngine, make_policy

NOW_US = 1_790_000_000_000_000
PATIENCE_S = 1000.0
MAX_BODY_BYTES = 2_000
PAIRS = {"prompt_tokens": tuple(range(1, 501)), "predicted_tokens": (9.0,) * 500, "shares": (1 / 500,) * 500}
CHAT = {"messages": [{"role": "user", "content": "one two"}]}


class Setting:
    """A prioritiser whose ranker predicts 1 token for any text, and whose engine is slow at prompts."""

    def __init__(self, ranker: Ranker) -> None:
        champion = SimpleNamespace(champion=Champion(1, ranker))
        self.rankers = EngineRankers({"demo-llm": champion}, {}, "demo-llm")
        scheduler = SimpleNamespace(max_num_seqs=10, max_num_batched_tokens=1000)
        cost = StepCost(fixed_s=1e-9, per_token_s=1.0, per_sequence_s=0)
        self.rankers.order_by_cost(cost, SimpleNamespace(scheduler_config=scheduler))
        load = EngineLoad(max_num_seqs=0)  # never any room: who has a text is held until it is read
        self.finder = PlaceFinder.start(Settings(), self.rankers)
        self.clock = ArrivalClock(lambda: 7, lambda: NOW_US)
        self.engine = FakeEngine()
        policy = make_policy(patience_s=PATIENCE_S, ranking_backlog_ms=60_000)
        self.prioritiser = Prioritiser(policy, self.clock, load, self.finder)

    async def place_of(self, prompt: Any, body: Any = None, max_tokens: int | None = None) -> float:
        http_request = HttpRequest(self.clock, "/v1/chat/completions", MAX_BODY_BYTES)
        if body is not None:
            http_request.see({"type": "http.request", "body": json.dumps(body).encode()})
        return await self.next_place(http_request, prompt, max_tokens)

    async def next_place(self, http_request: HttpRequest, prompt: Any, max_tokens: int | None = None) -> float:
        token = HTTP_REQUEST.set(http_request)
        try:
            params = SimpleNamespace(max_tokens=max_tokens, n=1)
            async for _ in self.prioritiser.wrap(self.engine.generate)(prompt, params, "id"):
                pass
        finally:
            HTTP_REQUEST.reset(token)
        priority: int = self.engine.asked[-1]["priority"]
        return (priority - http_request.arrival_us) / 1e6 / PATIENCE_S


@pytest.fixture
async def setting(tmp_path: Path) -> AsyncIterator[Setting]:
    joint = JointSample.model_validate({**PAIRS, "tokens_per_character": 0.5})
    setting = Setting(Ranker.load(write_ranker(tmp_path, weight=0.0, joint=joint)))
    yield setting
    setting.finder.close()


def engine_prompt(tokens: int, **others: Any) -> dict[str, Any]:
    return {"type": "token", "prompt_token_ids": [1] * tokens, **others}


@pytest.mark.parametrize(
    ("prompt", "body", "size"),
    [
        (engine_prompt(200, prompt="one two"), None, Size(prompt_tokens=200)),
        (engine_prompt(200, prompt="<user> one two"), CHAT, Size(prompt_tokens=200)),
        ("one two", None, Size(characters=7)),
    ],
    ids=["text", "chat after its template", "text that vLLM has yet to tokenize"],
)
async def test_place_is_that_of_the_tokens_which_the_engine_gets(
    setting: Setting, prompt: Any, body: Any, size: Size
) -> None:
    assert await setting.place_of(prompt, body) == pytest.approx(setting.rankers.quantile(1.0, size), abs=1e-6)


async def test_what_cannot_be_ranked_is_placed_by_the_median_answer_and_its_own_prompt(setting: Setting) -> None:
    median = setting.rankers.ranker("demo-llm").median_quantile
    for prompt in (engine_prompt(200), {"prompt_token_ids": [1] * 200}, {**engine_prompt(200), "type": "multimodal"}):
        assert await setting.place_of(prompt) == pytest.approx(median(Size(prompt_tokens=200)), abs=1e-6)
    assert await setting.place_of(engine_prompt(20)) < await setting.place_of(engine_prompt(30))


async def test_too_large_to_read_is_placed_by_its_own_prompt_too(setting: Setting) -> None:
    body = {"messages": [{"role": "user", "content": "one " * MAX_BODY_BYTES}]}
    place = await setting.place_of(engine_prompt(450, prompt="one"), body)
    assert place == pytest.approx(setting.rankers.median_quantile(Size(prompt_tokens=450)), abs=1e-6)
    assert await setting.place_of(engine_prompt(5, prompt="one"), body) == pytest.approx(0.75), "none gains by growing"


async def test_beam_search_pays_for_its_prompt_and_not_for_what_it_has_answered(setting: Setting) -> None:
    request = HttpRequest(setting.clock, "/v1/completions")
    request.see({"type": "http.request", "body": b'{"use_beam_search": true, "max_tokens": 2}'})
    places = [await setting.next_place(request, engine_prompt(200 + step, prompt="one"), 1) for step in range(4)]
    assert places == [places[0]] * 4
