"""`traffic/cells/conversations.py`."""

import json
from typing import Any

import pytest

from registry.request import render_messages
from traffic.cells.bad_cell import BadCell
from traffic.cells.conversations import NOTHING, Prompt, prompt_of

ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}]
TEXT = render_messages(ASKED)
ANSWER = {"role": "assistant", "content": "Because."}
CALL = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}


def text_of(value: Any) -> str | None:
    return prompt_of(value, "messages").text


@pytest.mark.parametrize("word", ["assistant", "Assistant", "gpt", "model", "ai", "bot", "chatgpt"])
@pytest.mark.parametrize("trailing", [1, 2, 3])
def test_the_answer_at_the_end_is_no_part_of_the_prompt(word: str, trailing: int) -> None:
    prompt = prompt_of([*ASKED, *[ANSWER | {"role": word}] * trailing], "messages")
    assert (prompt.text, prompt.answer) == (
        TEXT,
        "\n\n".join(["user: Because."] * trailing) if trailing > 1 else "Because.",
    )


def test_calls_of_tools_at_the_end_are_the_answer_too() -> None:
    assert prompt_of([*ASKED, CALL, ANSWER], "messages") == Prompt(TEXT, "Because.", messages=ASKED)
    assert prompt_of([*ASKED, CALL], "messages") == Prompt(TEXT, "", messages=ASKED)


def test_earlier_answers_and_what_tools_said_stay() -> None:
    turns = [*ASKED, CALL, {"role": "tool", "content": "42"}]
    assert prompt_of([*turns, ANSWER], "messages") == Prompt(f"{TEXT}\n\ntool: 42", "Because.", messages=turns)
    assert text_of([ASKED[1], ANSWER, ASKED[1], ANSWER]) == "user: Why?\n\nassistant: Because.\n\nuser: Why?"


@pytest.mark.parametrize("times", [1, 2, 3])
def test_messages_that_are_json_text_are_parsed(times: int) -> None:
    value: Any = [*ASKED, ANSWER]
    for _ in range(times):
        value = json.dumps(value)
    assert prompt_of(value, "prompt") == Prompt(TEXT, "Because.", was_text=True, messages=ASKED)


def test_messages_as_python_prints_them_are_parsed() -> None:
    assert prompt_of(str([*ASKED, ANSWER, ANSWER]), "messages").text == TEXT
    assert text_of(str([{"role": "user", "content": "it's 7"}])) == "it's 7"


@pytest.mark.parametrize(
    "value", [{"messages": ASKED}, json.dumps({"messages": ASKED}), {"messages": json.dumps(ASKED)}]
)
def test_the_body_of_a_request_holds_messages(value: Any) -> None:
    assert text_of(value) == TEXT


@pytest.mark.parametrize("text", ["[1, 2]", '{"a": 1}', '"quoted"', '[{"type": "text"}]', '{"role": 1}', "[{", "plain"])
def test_other_json_in_a_prompt_is_its_text(text: str) -> None:
    assert prompt_of(text, "prompt") == Prompt(text)


def test_messages_that_were_cut_off_are_bad() -> None:
    with pytest.raises(BadCell, match="messages must be a list of chat messages, or the JSON of one"):
        prompt_of(json.dumps(ASKED)[:-9], "messages")


def test_words_of_sharegpt_are_those_of_a_chat() -> None:
    turns = [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "Because."}]
    assert prompt_of(turns, "messages") == Prompt("Why?", "Because.", messages=[ASKED[1]])


def test_items_of_responses_have_roles_by_their_type() -> None:
    items = [
        *({"role": "user", "content": "Why?"}, {"type": "function_call", "name": "f", "arguments": "{}"}),
        {"type": "function_call_output", "output": "42"},
    ]
    assert text_of(items) == "user: Why?\n\ntool: 42"


@pytest.mark.parametrize("value", [None, float("nan"), "", " \n"])
def test_nothing_is_nothing(value: Any) -> None:
    assert prompt_of(value, "prompt") == NOTHING


@pytest.mark.parametrize("value", [[], [ANSWER], [{"role": "user", "content": [{"type": "image_url"}]}]])
def test_messages_without_text_have_none(value: Any) -> None:
    assert text_of(value) is None


@pytest.mark.parametrize(
    "value", [7, {"text": "a"}, ["a"], [None], [{"content": "no role"}], [{"role": "user", "content": 7}]]
)
def test_what_is_no_prompt_is_bad(value: Any) -> None:
    with pytest.raises(BadCell, match="a prompt must be text or a list of chat messages"):
        prompt_of(value, "prompt")


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ({"text": "secret"}, "an object of text"),
        (["secret"], "a list of text of 6 characters"),
        ([{"content": "secret", "n": 1}], "a list of an object of content, n"),
        ([None, "secret"], "a list of one NoneType"),
        ('{"secret": "', "text of 12 characters"),
        (7, "one int"),
    ],
)
def test_no_text_of_a_bad_prompt_stands_in_what_is_said_of_it(value: Any, form: str) -> None:
    with pytest.raises(BadCell) as raised:
        prompt_of(value, "messages")
    assert raised.value.value == form


HALF = "Hi \ud83d there"


@pytest.mark.parametrize(
    "value",
    [
        HALF,
        [{"role": "user", "content": HALF}],
        json.dumps([{"role": "user", "content": HALF}]),
        [ANSWER | {"content": HALF}],
    ],
)
def test_half_a_character_is_a_question_mark(value: Any) -> None:
    prompt = prompt_of(value, "messages")
    assert "Hi ? there" in (prompt.text, prompt.answer)
