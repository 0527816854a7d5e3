"""What a body asks of the engine, read from what the client wrote alone."""

from typing import Any

import pytest
from starlette.datastructures import Headers

from registry.request import UnrankableContent
from serving.http.engine_requests import requests_written

HELLO = {"messages": [{"role": "user", "content": "hello"}]}


def texts(path: str, body: Any) -> list[str]:
    return [
        request.text.reason.upper() if isinstance(request.text, UnrankableContent) else request.text
        for request in requests_written(path, body, Headers(), caps=True)
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
    assert requests_written(path, body, Headers(), caps=True)[0].cap_tokens == cap
    assert requests_written(path, body, Headers(), caps=False)[0].cap_tokens is None


@pytest.mark.parametrize(
    ("n", "num_sequences"),
    [(3, 3), (16384, 16384), (16385, 1), (-(10**9), 1), (None, 1), (0, 1), ("many", 1), (True, 1)],
)
def test_sequences_are_counted(n: Any, num_sequences: int) -> None:
    assert (
        requests_written("/v1/completions", {"prompt": "one", "n": n}, Headers(), True)[0].num_sequences
        == num_sequences
    )


@pytest.mark.parametrize(
    ("header", "priority", "expected"), [("-8", -7, -8), ("0", -7, 0), ("soon", -7, -7), (None, -7, -7), (None, "x", 0)]
)
def test_clients_priority_is_read_as_vllm_does(header: str | None, priority: Any, expected: int) -> None:
    headers = Headers({"X-Vllm-Priority": header} if header else {})
    assert requests_written("/v1/completions", {"priority": priority}, headers, True)[0].client_priority == expected
