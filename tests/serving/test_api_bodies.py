"""What of each API's body a ranker reads."""

from typing import Any

import pytest

from registry.request import TEXT_OF_PART, UnrankableContent, reason_of, render_messages
from serving.api_bodies import cap_tokens, conversations_of, model_of, uses_beam_search

HELLO = [{"role": "user", "content": "hello"}]
TEXT = {"type": "text", "text": "hello"}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}


def texts_of(path: str, body: Any) -> list[str] | None:
    conversations = conversations_of(path, body)
    return None if conversations is None else [render_messages(one) for one in conversations]


@pytest.mark.parametrize(
    ("path", "body", "texts"),
    [
        ("/v1/chat/completions", {"messages": HELLO}, ["hello"]),
        ("/v1/chat/completions", {"messages": [{"role": "system", "content": "be brief"}, *HELLO]},
         ["system: be brief\n\nuser: hello"]),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": [TEXT]}]}, ["hello"]),
        ("/v1/chat/completions/batch", {"messages": [HELLO, [{"role": "user", "content": "bye"}]]}, ["hello", "bye"]),
        ("/v1/responses", {"input": "hello"}, ["hello"]),
        ("/v1/responses", {"input": "hello", "instructions": "be brief"}, ["system: be brief\n\nuser: hello"]),
        ("/v1/responses", {"input": [{"type": "reasoning", "summary": []}, *HELLO]}, ["hello"]),
        ("/v1/responses", {"input": [{"role": "user", "content": [{**TEXT, "type": "input_text"}]}]}, ["hello"]),
        ("/v1/responses", {"input": [{"type": "function_call_output", "call_id": "1", "output": "42"}]}, ["tool: 42"]),
        ("/v1/messages", {"messages": HELLO}, ["hello"]),
        ("/v1/messages", {"messages": HELLO, "system": [{"type": "text", "text": "be brief"}]},
         ["system: be brief\n\nuser: hello"]),
        ("/v1/messages", {"messages": [{"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "1", "content": "42"},
            {"type": "tool_result", "tool_use_id": "2", "content": [{"type": "text", "text": "43"}]},
            {"type": "thinking", "thinking": "hm"}]}]}, ["42\n43"]),
        ("/v1/messages", {"messages": [{"role": "user", "content": [
            {"type": "tool_reference", "tool_name": "search"},
            {"type": "tool_result", "content": [{"type": "tool_reference", "tool_name": "look"}, {"type": "document"}]},
            TEXT]}]}, ["look\nhello"]),
        ("/v1/messages", {"messages": HELLO, "system": [{"type": "thinking"}, {"type": "text", "text": "be brief"}]},
         ["system: be brief\n\nuser: hello"]),
        ("/v1/responses", {"input": [{"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}, *HELLO]},
         ["assistant: no\n\nuser: hello"]),
        ("/cohere/v2/chat", {"messages": [{"role": "assistant", "content": [{"type": "thinking", "thinking": "hm"}]},
         {"role": "tool", "content": [{"type": "document", "document": {"data": "d"}}]}, *HELLO]},
         ['tool: {"data": "d"}\n\nuser: hello']),
        ("/cohere/v2/chat", {"messages": [{"role": "user", "content": [TEXT, TEXT]}]}, ["hello\nhello"]),
        ("/invocations", {"messages": HELLO}, ["hello"]),
        ("/invocations", {"input": "hello"}, ["hello"]),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "héllo 🌍 مرحبا"}]}, ["héllo 🌍 مرحبا"]),
    ],
)  # fmt: skip
def test_text_is_the_users(path: str, body: dict[str, Any], texts: list[str]) -> None:
    assert texts_of(path, body) == texts


def test_kinds_of_content_parts_are_vllms_own() -> None:
    from vllm.renderers import chat_utils  # takes seconds

    assert {*TEXT_OF_PART} == chat_utils.TEXT_PART_TYPES | {"tool_reference"} == chat_utils._TEXT_CONTENT_PART_TYPES
    for kind in chat_utils.MM_PARSER_MAP:
        part: Any = {"type": kind, "text": "t", "refusal": "r", "thinking": "h", "name": "n"}
        if kind in TEXT_OF_PART:
            _, text = chat_utils._parse_chat_message_content_mm_part(part)
            assert render_messages([{"role": "user", "content": [part]}]) == text
        else:
            with pytest.raises(UnrankableContent):
                render_messages([{"role": "user", "content": [part]}])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/completions", {"prompt": "hello"}),
        ("/invocations", {"prompt": "hello"}),
        ("/inference/v1/generate", {"token_ids": [1]}),
        ("/v1/chat/completions", ["not", "an", "object"]),
    ],
)
def test_other_bodies_leave_it_to_the_engines_own_prompt(path: str, body: Any) -> None:
    assert texts_of(path, body) is None


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("/v1/chat/completions", {}, "malformed"),
        ("/v1/chat/completions", {"messages": []}, "empty"),
        ("/v1/chat/completions", {"messages": "hello"}, "malformed"),
        ("/v1/chat/completions", {"messages": [{"content": "hello"}]}, "malformed"),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": ""}]}, "empty"),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": [IMAGE]}]}, "image"),
        ("/v1/messages", {"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]}, "image"),
        ("/v1/messages", {"messages": [{"role": "user"}]}, "malformed"),
        ("/v1/responses", {"input": [42]}, "malformed"),
        ("/v1/responses", {"input": [{"role": "user", "content": [{"type": "input_file"}]}]}, "not_text"),
    ],
)
def test_what_cannot_be_ranked_says_why(path: str, body: dict[str, Any], reason: str) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011  # of any kind, which is the promise
        texts_of(path, body)
    assert reason_of(caught.value).reason == reason


@pytest.mark.parametrize(
    ("body", "cap"),
    [
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": 6, "max_tokens": 5}, 6),
        ({"max_output_tokens": 7}, 7),
        ({"max_tokens": None}, None),
        ({"max_tokens": 0}, None),
        ({"max_tokens": "many"}, None),
        ({}, None),
        ([], None),
    ],
)
def test_cap_has_a_name_in_each_api(body: Any, cap: int | None) -> None:
    assert cap_tokens(body) == cap


def test_beam_search_is_seen() -> None:
    assert uses_beam_search({"use_beam_search": True})
    assert not uses_beam_search({"use_beam_search": False})
    assert not uses_beam_search([])


@pytest.mark.parametrize(
    ("body", "model"), [({"model": "a"}, "a"), ({"model": ""}, None), ({"model": 3}, None), ({}, None), ([], None)]
)
def test_model_is_the_name_that_the_client_gave(body: Any, model: str | None) -> None:
    assert model_of(body) == model
