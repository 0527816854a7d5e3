"""`make answer`: what a stranger sees of the first answer."""

import json

import httpx
import pytest

from loop.demo.one_answer import QUESTION, ask


def served(request: httpx.Request) -> httpx.Response:
    body = json.loads(request.content)
    assert body["messages"] == [{"role": "user", "content": QUESTION}]
    if request.url.path == "/rank":
        return httpx.Response(200, json={"predicted_tokens": 11.6, "quantile": 0.204})
    message = {"content": "words\n of  nobody " * 20}
    return httpx.Response(200, json={"choices": [{"message": message}], "usage": {"completion_tokens": 13}})


def test_an_answer_is_shown_beside_what_the_ranker_had_said() -> None:
    with httpx.Client(transport=httpx.MockTransport(served), base_url="http://server") as client:
        said = "\n".join(ask(client, QUESTION))
    assert QUESTION in said
    assert "words of nobody words" in said
    assert "13 tokens; the ranker had predicted 12" in said
    assert "0.20 in a queue" in said


def test_a_server_that_refuses_is_an_error_and_no_answer() -> None:
    refusing = httpx.MockTransport(lambda _: httpx.Response(503))
    client = httpx.Client(transport=refusing, base_url="http://server")
    with client, pytest.raises(httpx.HTTPStatusError, match="503"):
        ask(client, QUESTION)
