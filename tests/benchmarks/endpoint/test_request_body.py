"""What is posted for a request whose parameters the log knows."""

from typing import Any

import pytest

from benchmarks.endpoint.endpoint import Endpoint
from benchmarks.endpoint.plan import PlannedRequest
from benchmarks.endpoint.request_body import body_of
from registry.request_features import CAP_FEATURE, view_of

ENDPOINT = Endpoint("http://host", "llm")
CHAT = [{"role": "user", "content": "Hi"}]
TOOL = {"name": "add", "description": "Adds.", "parameters": {"type": "object", "properties": {"x": {}}}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}


def body(params: dict[str, Any], chat: Any = None, limit_tokens: int | None = None) -> dict[str, Any]:
    planned = PlannedRequest("Hi", 7, 0.0, chat=chat, params=params, limit_tokens=limit_tokens)
    return body_of(ENDPOINT, planned, None, "")


def test_a_ranker_reads_of_what_is_sent_what_the_log_says() -> None:
    params = {"reasoning_effort": "high", "tools": [TOOL], "chat_template_kwargs": {"enable_thinking": True}}
    logged = view_of("Hi", {**params, "temperature": 0, "max_tokens": 500}).without(CAP_FEATURE)
    assert view_of("Hi", body(params)).without(CAP_FEATURE) == logged
    sent = body(params, CHAT)
    assert view_of("Hi", sent).tools == logged.tools
    assert sent["reasoning_effort"] == "high"


@pytest.mark.parametrize("chat", [None, CHAT])
def test_limits_and_numbers_of_answers_are_the_replays_own(chat: Any) -> None:
    sent = body({"max_tokens": 500, "max_output_tokens": 500, "n": 4, "continue_final_message": True}, chat)
    assert {
        name: value for name, value in sent.items() if "max_" in name or name in ("n", "continue_final_message")
    } == {"max_tokens" if chat is None else "max_completion_tokens": 7}


def test_what_binds_an_answer_is_sent_only_where_the_llm_ends_it() -> None:
    params = {"response_format": SCHEMA, "tools": [TOOL], "tool_choice": "required"}
    assert {"response_format", "tool_choice"}.isdisjoint(body(params, CHAT))
    assert {**params, "tools": body(params, CHAT)["tools"]}.items() <= body(params, CHAT, limit_tokens=9).items()


@pytest.mark.parametrize("tool", [{"type": "function", "function": TOOL}, {"type": "function", **TOOL}, TOOL])
def test_tools_of_every_api_are_sent_as_a_chat_takes_them(tool: dict[str, Any]) -> None:
    assert body({"tools": [tool, {"type": "web_search"}]}, CHAT)["tools"] == [{"type": "function", "function": TOOL}]


def test_a_chat_without_tools_chooses_none() -> None:
    assert {"tools", "tool_choice"}.isdisjoint(body({"tool_choice": "auto", "tools": [{"type": "web_search"}]}, CHAT))


def test_the_temperature_is_the_logs_or_0() -> None:
    assert (body({})["temperature"], body({"temperature": 0.7})["temperature"]) == (0, 0.7)
