"""What a body asks of the engine, read from what the client wrote alone."""

from typing import Any

import pytest
from starlette.datastructures import Headers

from registry.request import UnrankableContent
from serving.http.engine_requests import requests_written
from serving.request_stages import EngineRequest

HELLO = {"messages": [{"role": "user", "content": "hello"}]}


def texts(path: str, body: Any) -> list[str]:
    return [
        request.view.reason.upper() if isinstance(request.view, UnrankableContent) else request.view.text
        for request in requests_written(path, body, Headers(), caps=True, most_prompts=4)
    ]


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/v1/chat/completions", HELLO, ["hello"]),
        ("/v1/chat/completions", {"messages": []}, ["EMPTY"]),
        ("/v1/chat/completions", {"messages": 3}, ["MALFORMED"]),
        ("/v1/completions", {"prompt": "one"}, ["one"]),
        ("/v1/completions", {"prompt": ["one", "two"]}, ["one", "two"]),
        ("/v1/completions", {"prompt": ["one", [1, 2]]}, ["one", "NO_TEXT"]),
        ("/v1/completions", {"prompt": [1, 2]}, ["NO_TEXT"]),
        ("/v1/completions", {"prompt": []}, ["NO_TEXT"]),
        ("/v1/completions", {"prompt": list("abcd")}, ["a", "b", "c", "d"]),
        ("/v1/completions", {"prompt": list("abcde")}, ["TOO_LARGE"]),
        ("/v1/completions", {"prompt": [1, 2, 3, 4, 5]}, ["NO_TEXT"]),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": 5}]}, ["MALFORMED"]),
        ("/v1/responses", {}, ["MALFORMED"]),
        ("/v1/completions", {"prompt_embeds": "AA=="}, ["NO_TEXT"]),
        ("/invocations", {"prompt": "one"}, ["one"]),
        ("/v1/completions", None, ["NO_TEXT"]),
        ("/v1/chat/completions", [1], ["NO_TEXT"]),
    ],
)
def test_there_is_a_text_or_a_reason_for_each_prompt(path: str, body: Any, expected: list[str]) -> None:
    assert texts(path, body) == expected


@pytest.mark.parametrize(
    ("path", "body", "cap"),
    [
        ("/v1/chat/completions", {**HELLO, "max_completion_tokens": 7}, 7),
        ("/v1/chat/completions", HELLO, None),
        ("/v1/completions", {"prompt": "one", "max_tokens": 5}, 5),
        ("/v1/completions", {"prompt": "one"}, 16),
        ("/v1/completions", {"prompt": "one", "max_tokens": None}, 16),
    ],
)
def test_cap_is_the_clients_or_its_apis(path: str, body: Any, cap: int | None) -> None:
    assert one_request(path, body).size.cap_tokens == cap
    assert one_request(path, body, caps=False).size.cap_tokens is None


@pytest.mark.parametrize(
    ("n", "num_sequences"),
    [(3, 3), (16384, 16384), (16385, 1), (-(10**9), 1), (None, 1), (0, 1), ("many", 1), (True, 1)],
)
def test_sequences_are_counted(n: Any, num_sequences: int) -> None:
    assert one_request("/v1/completions", {"prompt": "one", "n": n}).num_sequences == num_sequences


@pytest.mark.parametrize(
    ("header", "priority", "expected"), [("-8", -7, -8), ("0", -7, 0), ("soon", -7, -7), (None, -7, -7), (None, "x", 0)]
)
def test_clients_priority_is_read_as_vllm_does(header: str | None, priority: Any, expected: int) -> None:
    headers = Headers({"X-Vllm-Priority": header} if header else {})
    assert one_request("/v1/completions", {"priority": priority}, headers).client_priority == expected


def test_what_a_conversation_without_text_asks_for_is_read_all_the_same() -> None:
    request = one_request("/v1/chat/completions", {"messages": [{"role": 3}, 5], "max_tokens": 9, "n": 2, "model": "m"})
    assert (request.size.cap_tokens, request.num_sequences, request.model) == (9, 2, "m")


@pytest.mark.parametrize(
    ("path", "body", "sizes"),
    [
        ("/v1/chat/completions", HELLO, [(None, 5)]),
        ("/v1/completions", {"prompt": "one two"}, [(None, 7)]),
        ("/v1/completions", {"prompt": ["one", [1, 2]]}, [(None, 3), (2, None)]),
        ("/v1/completions", {"prompt": [1, 2, 3]}, [(3, None)]),
        ("/v1/completions", {"prompt": list("abcde")}, [(None, None)]),
        ("/v1/completions", {"prompt_embeds": "AA=="}, [(None, None)]),
        ("/v1/chat/completions", {"messages": 3}, [(None, None)]),
    ],
)
def test_characters_are_counted_and_token_ids_where_the_client_sends_them(
    path: str, body: Any, sizes: list[tuple[int | None, int | None]]
) -> None:
    requests = requests_written(path, body, Headers(), caps=True, most_prompts=4)
    assert [(one.size.prompt_tokens, one.size.characters) for one in requests] == sizes


def one_request(path: str, body: Any, headers: Headers | None = None, caps: bool = True) -> EngineRequest:
    (request,) = requests_written(path, body, headers or Headers(), caps=caps, most_prompts=4)
    return request
