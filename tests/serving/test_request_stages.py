"""The layer that watches a request's body go by."""

from collections.abc import Iterable
from itertools import count
from typing import Any

import pytest

from registry.request import Text, UnrankableContent
from serving.api_bodies import MOST_VALUES
from serving.arrival_clock import ArrivalClock
from serving.http.arrival_layer import ArrivalLayer
from serving.request_stages import HttpRequest, current_http_request


def ticking_clock() -> ArrivalClock:
    ticks = count(99)  # the first one anchors it
    return ArrivalClock(lambda: next(ticks), lambda: 99)


def body_message(body: bytes, more_body: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more_body}


async def pass_through(
    messages: Iterable[dict[str, Any]], path: str = "/v1/chat/completions", trusts: bool = False
) -> tuple[HttpRequest, dict[str, Any], list[dict[str, Any]]]:
    """Send messages through the layer; returns what the application then knows, its scope, and what it received."""
    seen: list[Any] = []
    received: list[dict[str, Any]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        received.extend([await receive() for _ in range(len(pending))])
        seen.extend([current_http_request(ArrivalClock()), scope])

    async def receive() -> dict[str, Any]:
        return pending.pop(0)

    async def send(message: Any) -> None:
        raise AssertionError(message)

    pending = list(messages)
    scope = {"type": "http", "path": path, "headers": [(b"X-Vllm-Priority", b"-9"), (b"accept", b"*/*")]}
    await ArrivalLayer(application, ticking_clock(), trusts, 1000)(scope, receive, send)
    return seen[0], seen[1], received


async def test_body_in_pieces_is_put_together_and_passed_on_unchanged() -> None:
    pieces = [body_message(b'{"messages": [{"role": "us', True), body_message(b'er", "content": "hello"}]}')]
    incoming, _, received = await pass_through(pieces)
    assert received == pieces
    assert incoming.next_text("template") == "hello"


async def test_arrival_is_stamped_once_when_the_body_is_complete() -> None:
    clock = ticking_clock()
    incoming = HttpRequest(clock, "/v1/completions")
    incoming.see(body_message(b"{", True))
    clock.stamp_us()  # time passes while the body is sent slowly
    incoming.see(body_message(b"}"))
    assert incoming.arrival_us == 101
    incoming.see({"type": "http.disconnect"})
    assert incoming.arrival_us == 101


async def test_clients_priority_header_is_dropped_unless_trusted() -> None:
    _, scope, _ = await pass_through([body_message(b"{}")])
    assert scope["headers"] == [(b"accept", b"*/*")]
    _, scope, _ = await pass_through([body_message(b"{}")], trusts=True)
    assert (b"X-Vllm-Priority", b"-9") in scope["headers"]


async def test_nothing_is_left_behind_for_the_next_request() -> None:
    incoming, _, _ = await pass_through([body_message(b"{}")])
    assert current_http_request(ArrivalClock()) is not incoming


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"null", b"[1, 2]"])
async def test_body_that_says_nothing_leaves_it_to_the_engines_own_prompt(body: bytes) -> None:
    incoming, _, _ = await pass_through([body_message(body)])
    assert incoming.next_text("from the engine") == "from the engine"
    without_text = incoming.next_text(None)
    assert isinstance(without_text, UnrankableContent)
    assert without_text.reason == "no_text"


async def test_each_engine_request_of_a_batch_gets_its_own_text() -> None:
    batch = b'{"messages": [[{"role": "user", "content": "a"}], [{"role": "user", "content": "b"}]]}'
    incoming, _, _ = await pass_through([body_message(batch)], "/v1/chat/completions/batch")
    assert [incoming.next_text(None) for _ in range(2)] == ["a", "b"]


async def test_of_a_body_over_the_limit_nothing_is_kept_and_all_is_passed_on() -> None:
    pieces = [body_message(b'{"messages": "' + b"x" * 600, True), body_message(b"x" * 600, True), body_message(b'"}')]
    incoming, _, received = await pass_through(pieces)
    assert received == pieces
    assert not incoming.is_read
    assert len(incoming._body) == 0
    for _ in range(2):
        assert reason(incoming.next_text("from the engine")) == "too_large"


@pytest.mark.parametrize(
    "body", [b"[" + b"1," * MOST_VALUES + b"1]", b"[" * MOST_VALUES + b"{", b"{" * MOST_VALUES + b"["]
)
async def test_body_of_more_values_than_are_parsed_is_not_read(body: bytes) -> None:
    incoming = HttpRequest(ticking_clock(), "/v1/completions")
    incoming.see(body_message(body))
    assert reason(incoming.next_text("from the engine")) == "too_large"
    assert not incoming.is_read


async def test_only_what_the_engine_is_asked_for_is_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[Any] = []
    monkeypatch.setattr("serving.request_stages.render_messages", rendered.append)
    incoming = HttpRequest(ticking_clock(), "/v1/chat/completions/batch")
    incoming.see(body_message(b'{"messages": [["a"], ["b"], ["c"]]}'))
    incoming.next_text(None)
    incoming.next_text(None)
    assert rendered == [["a"], ["b"]]


async def test_conversation_without_text_leaves_the_others_of_its_batch_ranked() -> None:
    batch = b'{"messages": [[{"role": "user", "content": 5}], [{"role": "user", "content": "b"}]]}'
    incoming, _, _ = await pass_through([body_message(batch)], "/v1/chat/completions/batch")
    with pytest.raises(TypeError):
        incoming.next_text(None)
    assert incoming.next_text(None) == "b"


def reason(text: Text) -> str:
    assert isinstance(text, UnrankableContent)
    return text.reason


async def test_each_step_of_a_beam_search_has_the_same_text() -> None:
    body = b'{"messages": [{"role": "user", "content": "a"}], "use_beam_search": true, "max_tokens": 9}'
    incoming, _, _ = await pass_through([body_message(body)])
    assert [incoming.next_text(None) for _ in range(3)] == ["a", "a", "a"]
    assert incoming.is_beam_search
    assert incoming.cap_tokens == 9


async def test_engine_request_with_no_http_request_behind_it_arrives_now() -> None:
    assert current_http_request(ticking_clock()).arrival_us == 100


async def test_each_generation_of_a_websocket_arrives_when_it_starts() -> None:
    clock = ticking_clock()
    arrivals_us: list[int] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        arrivals_us.extend(current_http_request(clock).arrival_us for _ in range(3))
        assert scope["headers"] == []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        raise AssertionError(message)

    scope = {"type": "websocket", "path": "/v1/realtime", "headers": [(b"x-vllm-priority", b"-9")]}
    await ArrivalLayer(application, clock, False, 1000)(scope, receive, send)
    assert arrivals_us == [100, 101, 102]
