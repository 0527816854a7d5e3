"""`traffic/recorded.py`: the messages and the parameters behind a log's texts."""

from pathlib import Path
from typing import Any

import pytest

from registry.request import render_messages
from tests.traffic.logs import write
from traffic.length_log import LengthLogSource, read_length_log
from traffic.recorded import Recorded, read_recorded

SYSTEM = {"role": "system", "content": "Be kind."}
USER = {"role": "user", "content": "Hi"}
ANSWER = {"role": "assistant", "content": "Hello."}
CALL = {"id": "1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
CALLS = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "content": "3", "tool_call_id": "1"}
PARTS = {"role": "user", "content": [{"type": "input_text", "text": "a"}, {"type": "text", "text": "b \ud83d"}]}


def chats_of(path: Path, messages: list[dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """The text of this chat in a log, and what is found of all its texts."""
    rows = [{"messages": messages, "output_tokens": 3}, {"messages": "only text", "output_tokens": 1}]
    source = LengthLogSource(lengths=write(path / "log.jsonl", rows))
    log = read_length_log(source)
    (text,) = set(log.prompts) - {"only text"}
    found = read_recorded(source, log.views)
    return text, {view.text: one.chat for view, one in found.items() if one.chat is not None}


@pytest.mark.parametrize(
    "messages",
    [[USER], [SYSTEM, USER], [USER, ANSWER, {"role": "user", "content": "And?"}], [USER, CALLS, RESULT], [PARTS]],
    ids=["one message", "system", "turns", "tools", "parts"],
)
def test_chat_reads_as_its_text_does(tmp_path: Path, messages: list[dict[str, Any]]) -> None:
    text, chats = chats_of(tmp_path, messages)
    assert list(chats) == [text]  # what is text is no chat
    assert render_messages(chats[text]) == text
    assert [one["role"] for one in chats[text]] == [one["role"] for one in messages]
    assert all(isinstance(one["content"], str) for one in chats[text])


def test_answer_is_no_part_of_it_and_roles_are_the_usual_ones(tmp_path: Path) -> None:
    _, chats = chats_of(tmp_path, [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello."}])
    assert chats == {"Hi": [USER]}


def test_what_calls_tools_keeps_the_calls(tmp_path: Path) -> None:
    text, chats = chats_of(tmp_path, [USER, CALLS, RESULT])
    assert chats[text][1]["tool_calls"] == [CALL]
    assert chats[text][2]["tool_call_id"] == "1"


def test_only_those_that_are_asked_for_are_held(tmp_path: Path) -> None:
    rows = [{"messages": [{"role": "user", "content": str(i)}], "output_tokens": 1 + i} for i in range(9)]
    source = LengthLogSource(lengths=write(tmp_path / "log.jsonl", rows))
    (wanted,) = [view for view in read_length_log(source).views if view.text == "7"]
    assert read_recorded(source, [wanted]) == {wanted: Recorded([{"role": "user", "content": "7"}], {})}


def test_the_same_text_that_asks_for_something_else_is_another_request(tmp_path: Path) -> None:
    efforts = [{"reasoning_effort": "low"}, {"reasoning_effort": "high", "max_tokens": 9}, {}]
    rows = [{"prompt": "Hi", "params": one, "output_tokens": 1 + tokens} for tokens, one in enumerate(efforts)]
    source = LengthLogSource(lengths=write(tmp_path / "log.jsonl", [*rows, *rows]))
    log = read_length_log(source)
    found = read_recorded(source, log.views)
    assert len(found) == 3
    assert [found[view].params for view in log.views] == [efforts[int(length) - 1] for length in log.output_tokens]
