"""The text that a ranker sees."""

from typing import Any

import pytest

from registry.request import UnrankableContent, render_messages


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([user("Hi")], "Hi"),
        ([user([{"type": "text", "text": "Hi"}, {"type": "text", "text": "there"}])], "Hi\nthere"),
        ([user(["Hi", {"text": "there"}])], "Hi\nthere"),
        ([user([{"type": "input_text", "text": "Hi"}])], "Hi"),
        ([{"role": "system", "content": "Be brief."}, user("Hi")], "system: Be brief.\n\nuser: Hi"),
        ([{"role": "assistant", "content": None}, user("Hi")], "Hi"),
        ([user([{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Hi"}])], "Hm.\nHi"),
        ([user([{"type": "refusal", "refusal": "No."}, {"type": "output_text", "text": "Hi"}])], "No.\nHi"),
        ([user([{"type": "tool_reference", "name": "search"}])], "search"),
        ([user([{"type": "text", "text": None}, {"type": "refusal"}, {"type": "text", "text": "Hi"}])], "Hi"),
        ([user("שלום 👋🏽")], "שלום 👋🏽"),
    ],
)
def test_messages_become_text(messages: list[dict[str, Any]], text: str) -> None:
    assert render_messages(messages) == text


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([], "empty"),
        ([user("")], "empty"),
        ([user(" \n")], "empty"),
        ([user(None)], "empty"),
        ([user([{"type": "image_url", "image_url": {"url": "x"}}])], "image"),
        ([user([{"type": "text", "text": "What is it?"}, {"type": "input_image", "image_url": "x"}])], "image"),
        ([user([{"type": "input_audio", "input_audio": {}}])], "not_text"),
        ([user([{"image_url": {"url": "x"}}, {"text": "What is it?"}])], "image"),
        ([user([{"type": None, "input_audio": {}}])], "not_text"),
        ([user([{"type": ["text"], "text": "Hi"}])], "not_text"),
        ([user([{"type": "refusal", "refusal": None}])], "empty"),
    ],
)
def test_what_is_no_text_says_why(messages: list[dict[str, Any]], reason: str) -> None:
    with pytest.raises(UnrankableContent) as caught:
        render_messages(messages)
    assert caught.value.reason == reason
