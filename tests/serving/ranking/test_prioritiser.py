"""The wrap around the engine client's methods."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from serving.arrival_clock import ArrivalClock
from serving.champion.served_rankers import EngineRankers
from serving.ranking.admission import PriorityPolicy
from serving.ranking.load import EngineLoad
from serving.ranking.place_finder import PlaceFinder
from serving.ranking.prioritiser import Prioritiser
from serving.request_stages import HTTP_REQUEST, HttpRequest
from tests.serving.fakes import FakeEngine, FakeRanker, make_policy, only

NOW_US = 1_790_000_000_000_000
PATIENCE_S = 10.0


class Setting:
    """A prioritiser in front of a fake engine; time stands (almost) still."""

    def __init__(self, policy: PriorityPolicy, is_ranking: bool = True) -> None:
        self.engine = FakeEngine()
        self.ranker = FakeRanker()
        self.load = EngineLoad(max_num_seqs=4)
        self.clock = ArrivalClock(lambda: 7, lambda: NOW_US)
        self.finder = only(lambda: self.ranker) if is_ranking else None
        self.generate = Prioritiser(policy, self.clock, self.load, self.finder).wrap(self.engine.generate)

    async def priority_of(self, prompt: Any, max_tokens: int | None = None, n: int = 1, **others: Any) -> int:
        params = SimpleNamespace(max_tokens=max_tokens, n=n)
        assert [output async for output in self.generate(prompt, params, "id", **others)] == ["first", "second"]
        priority: int = self.engine.asked[-1]["priority"]
        return priority


@pytest.fixture
def setting() -> Iterator[Setting]:
    setting = Setting(make_policy(patience_s=PATIENCE_S))
    yield setting
    assert setting.finder is not None
    setting.finder.close()


def tokens(text: str) -> dict[str, Any]:
    return {"type": "token", "prompt_token_ids": [1], "prompt": text}


@pytest.mark.parametrize(
    ("prompt", "max_tokens", "patience_share"),
    [
        ("one two", None, 0.2),
        (tokens("one two three"), None, 0.3),
        (tokens("one two three"), 1, 0.1),
        (tokens("one two three"), 0, 0.1),
        (tokens(""), None, 0.0),
        ({"type": "token", "prompt_token_ids": [1]}, None, 0.5),
        ({"type": "token", "prompt_token_ids": [1]}, 2, 0.2),
        ({"type": "multimodal", "prompt_token_ids": [1], "prompt": "an image"}, None, 0.5),
        ({"type": "embeds", "prompt": "one"}, None, 0.5),
        ({"prompt_token_ids": [1]}, None, 0.5),
    ],
)
async def test_priority_is_arrival_and_the_predicted_share_of_patience(
    setting: Setting, prompt: Any, max_tokens: int | None, patience_share: float
) -> None:
    assert await setting.priority_of(prompt, max_tokens) == NOW_US + round(PATIENCE_S * 1e6 * patience_share)


@pytest.mark.parametrize("client_priority", [-3, 0, 7])
async def test_clients_priority_is_ignored_unless_trusted(setting: Setting, client_priority: int) -> None:
    assert await setting.priority_of("one", priority=client_priority) == NOW_US + 1_000_000


async def test_trusted_clients_non_zero_integer_is_used_and_not_ranked() -> None:
    setting = Setting(make_policy(trust_client_priority=True))
    assert await setting.priority_of("one", priority=-3) == -3
    assert setting.ranker.asked == []
    assert await setting.priority_of("one", priority=0) > NOW_US
    assert setting.ranker.asked == ["one"]


async def test_without_ranking_requests_are_served_as_they_arrive() -> None:
    setting = Setting(make_policy(), is_ranking=False)
    assert [await setting.priority_of("one", priority=-3) for _ in range(3)] == [NOW_US, NOW_US + 1, NOW_US + 2]


async def test_cap_can_be_switched_off() -> None:
    setting = Setting(make_policy(patience_s=PATIENCE_S, cap_by_max_tokens=False))
    assert await setting.priority_of("one two three", max_tokens=1) == NOW_US + 3_000_000


async def test_beam_search_ranks_once_and_is_capped_by_its_own_limit_not_by_one_token_a_step(setting: Setting) -> None:
    incoming = HttpRequest(setting.clock, "/v1/completions")
    incoming.see({"type": "http.request", "body": b'{"use_beam_search": true, "max_tokens": 2}'})
    with working_for(incoming):
        for _ in range(3):
            assert await setting.priority_of("one two three", max_tokens=1) == NOW_US + 2_000_000
    assert setting.ranker.asked == ["one two three"]


@pytest.mark.parametrize(("max_tokens", "patience_share"), [(None, 0.75), (4000, 0.75), (2, 0.2), (1, 0.75)], ids=str)
async def test_body_too_large_to_read_has_a_long_requests_place_but_for_its_cap(
    setting: Setting, monkeypatch: pytest.MonkeyPatch, max_tokens: int | None, patience_share: float
) -> None:
    monkeypatch.setattr(EngineRankers, "large_quantile", lambda _, size: min(0.75, (size.cap_tokens or 10) / 10))
    incoming = HttpRequest(setting.clock, "/v1/completions", max_body_bytes=10)
    incoming.see({"type": "http.request", "body": b'{"prompt":', "more_body": True})
    incoming.see({"type": "http.request", "body": b'"one"}'})
    with working_for(incoming):
        priority = await setting.priority_of("one", max_tokens)
    assert priority == NOW_US + round(PATIENCE_S * 1e6 * patience_share), "1 is what beam search asks at each step"
    assert setting.ranker.asked == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"messages": [{"role": "user", "content": 5}]}',
        b'{"messages": [5]}',
        b'{"messages": {"role": "user"}}',
        b'{"messages": [{"role": "user", "content": '
        + b'[{"type": "tool_result", "content": ' * 200
        + b"5"
        + b"}]" * 201,
        b'{"model": {}, "messages": ' + b"[" * 90_000,
        b"{}",
    ],
)
async def test_no_form_of_a_body_fails_a_request(setting: Setting, body: bytes) -> None:
    incoming = HttpRequest(setting.clock, "/v1/messages")
    incoming.see({"type": "http.request", "body": body})
    with working_for(incoming):
        for _ in range(2):
            assert await setting.priority_of(None) == NOW_US + 5_000_000


@pytest.mark.parametrize("error", [RecursionError, MemoryError, AttributeError, OSError])
async def test_whatever_raises_over_a_body_is_a_median(
    setting: Setting, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr("serving.request_stages.conversations_of", fail)
    incoming = HttpRequest(setting.clock, "/v1/messages")
    incoming.see({"type": "http.request", "body": b'{"messages": []}'})
    with working_for(incoming):
        for _ in range(2):
            assert await setting.priority_of("one") == NOW_US + 5_000_000


async def test_finder_that_fails_is_a_middle_place(
    setting: Setting, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise OSError("the prompt")

    monkeypatch.setattr(PlaceFinder, "find_place", fail)
    assert await setting.priority_of("one") == NOW_US + 5_000_000
    assert "OSError" in caplog.text
    assert "the prompt" not in caplog.text


@contextmanager
def working_for(incoming: HttpRequest) -> Iterator[None]:
    token = HTTP_REQUEST.set(incoming)
    try:
        yield
    finally:
        HTTP_REQUEST.reset(token)


async def test_pooling_request_is_a_short_one(setting: Setting) -> None:
    async for _ in setting.generate(tokens("one two three"), SimpleNamespace(), "id"):
        pass
    assert setting.engine.asked[-1]["priority"] == NOW_US + 1_000_000


async def test_arguments_by_name_reach_the_engine_as_they_are(setting: Setting) -> None:
    params = SimpleNamespace(max_tokens=None, n=1)
    async for _ in setting.generate(prompt="one", sampling_params=params, request_id="id", lora_request="adapter"):
        pass
    assert setting.engine.asked == [
        {"prompt": "one", "request_id": "id", "lora_request": "adapter", "priority": NOW_US + 1_000_000}
    ]


async def test_request_is_counted_while_it_is_in_the_engine(setting: Setting) -> None:
    outputs = setting.generate("one", SimpleNamespace(max_tokens=5, n=3), "id")
    assert setting.load.num_sequences == 0
    await anext(outputs)
    assert setting.load.num_sequences == 3
    await outputs.aclose()
    assert setting.load.num_sequences == 0
    assert setting.engine.is_closed, "vLLM aborts a request when its generator is closed"


async def test_client_that_leaves_while_its_request_is_held_never_reaches_the_engine(setting: Setting) -> None:
    setting.ranker.may_go_on.clear()
    setting.load.count(4)
    task = asyncio.create_task(setting.priority_of("one"))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    setting.ranker.may_go_on.set()
    assert setting.engine.asked == []
    assert setting.load.num_sequences == 4


@pytest.mark.parametrize("when", ["called", "first output", "second output"])
async def test_error_in_the_engine_after_the_place_was_found_leaves_no_seat_taken(setting: Setting, when: str) -> None:
    class EngineError(Exception):
        pass

    async def outputs() -> AsyncGenerator[str, None]:
        if when == "first output":
            raise EngineError
        yield "first"
        raise EngineError

    def generate(*_: Any, **__: Any) -> AsyncGenerator[str, None]:
        if when == "called":
            raise EngineError
        return outputs()

    wrapped = Prioritiser(make_policy(), setting.clock, setting.load, setting.finder).wrap(generate)

    async def ask() -> None:
        async for _ in wrapped("one", SimpleNamespace(max_tokens=5, n=3), "id"):
            assert setting.load.num_sequences == 3

    for _ in range(2):
        with pytest.raises(EngineError):
            await ask()
        assert setting.load.num_sequences == 0


async def test_requests_that_come_together_reach_the_engine_in_the_order_of_their_places(setting: Setting) -> None:
    setting.ranker.has_instant = True
    await asyncio.gather(*(setting.priority_of("a " * words) for words in (4, 1, 3, 2)))
    assert [len(one["prompt"].split()) for one in setting.engine.asked] == [1, 2, 3, 4]
