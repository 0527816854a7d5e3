"""A prompt as a ranker will read it, from text or chat messages; the answer at its end is no part of it. Pure."""

import ast
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from registry.request import Conversation, UnrankableContent, render_messages
from traffic.cells.bad_cell import BadCell
from traffic.cells.names import text_in, whole_characters

ROLES: Mapping[str, str] = {
    **dict.fromkeys(("human", "prompter", "humanmessage"), "user"),
    **dict.fromkeys(
        ("gpt", "model", "ai", "aimessage", "bot", "chatgpt", "chatbot", "bing", "bard", "claude"), "assistant"
    ),
    **dict.fromkeys(("systemmessage",), "system"),
    **dict.fromkeys(("observation", "function_response", "toolmessage"), "tool"),
    **dict.fromkeys(("function_call",), "assistant"),
}
"""Other words for the roles of a chat."""

ITEM_ROLES = {"function_call": "assistant", "reasoning": "assistant", "function_call_output": "tool"}
"""Of the items of the Responses API that have no role, by their type."""

MESSAGES = "messages"
DEEPEST_TEXT = 3
"""How often messages may have been turned into text, one inside the other."""

TOOL_FIELDS = ("tool_calls", "tool_call_id", "name")
"""What a message says of tools: no text, but without it a server refuses the chat."""

Turn = Mapping[str, Any]


class Prompt(NamedTuple):
    """What one cell holds."""

    text: str | None
    """None where there is nothing that a ranker can read."""
    answer: str | None = None
    """The answer that stood in it as its last turns; empty if that only calls tools."""
    was_text: bool = False
    """Whether the messages were text that had to be parsed."""
    messages: Conversation | None = None
    """The messages that the text was rendered from, without the answer; None where it was no chat."""

    @property
    def held_answer(self) -> bool:
        """Whether the last turns were the assistant's."""
        return self.answer is not None


NOTHING = Prompt(None)


def prompt_of(value: Any, column: str) -> Prompt:
    """The text to rank of a cell.

    Raises:
        BadCell: it is neither text nor chat messages.
    """
    value = text_in(value)
    if isinstance(value, str):
        messages = _messages_in(value)
        if messages is not None:
            return _of_messages(messages, column)._replace(was_text=True)
        if column == MESSAGES and value.lstrip().startswith(("[{", "{")):
            raise BadCell("messages must be a list of chat messages, or the JSON of one", _form(value), column)
        return _plain(value)
    if value is None or value != value:
        return NOTHING
    return _of_messages(_unwrapped(value), column)


def _plain(text: str) -> Prompt:
    return Prompt(whole_characters(text)) if text and not text.isspace() else NOTHING


def _messages_in(text: str) -> Any:
    """The chat messages that a text stands for, also where they became text twice; None if it is just text."""
    value: Any = text
    for _ in range(DEEPEST_TEXT):
        if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{", '"'):
            break
        value = _parsed(value)
    value = _unwrapped(value)
    return value if isinstance(value, list) and value and all(map(_is_message, value)) else None


def _parsed(text: str) -> Any:
    """What a text is the JSON of, or the print of, as in a CSV file that pandas wrote; None if it is neither."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    if "'role'" not in text and "'from'" not in text:
        return None
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _is_message(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    has_role = bool({"role", "from"} & value.keys() and {"content", "value", "tool_calls"} & value.keys())
    return has_role or value.get("type") in ITEM_ROLES


def _unwrapped(value: Any) -> Any:
    """The messages of a request's body, or a single message as a list."""
    if isinstance(value, Mapping) and "messages" in value:
        inner = value["messages"]
        return _messages_in(inner) if isinstance(inner, str) else inner
    return [value] if _is_message(value) else value


def _of_messages(messages: Any, column: str) -> Prompt:
    try:
        turns = [_turn(one) for one in (messages if isinstance(messages, list | tuple) else messages["messages"])]
        asked = _without_answer(turns)
        answer = None if len(asked) == len(turns) else _text(_as_user(turns[len(asked) :])) or ""
        return Prompt(_text(asked), answer, messages=asked)
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise BadCell("a prompt must be text or a list of chat messages", _form(messages), column) from error


def _form(value: Any) -> str:
    """What can be said of a prompt in an error, which no text of it stands in."""
    if isinstance(value, str):
        return f"text of {len(value):,} characters"
    if isinstance(value, Mapping):
        return f"an object of {', '.join(map(str, value)) or 'nothing'}"
    if isinstance(value, list | tuple):
        return f"a list of {_form(value[0])}" if value else "an empty list"
    return f"one {type(value).__name__}"


def _turn(message: Turn) -> Turn:
    role = message.get("role") or message.get("from") or ITEM_ROLES[message["type"]]
    content = message["value"] if message.get("content") is None and "value" in message else message.get("content")
    if content is None and "output" in message:
        content = message["output"]
    word = str(role).lower()
    tools = {name: message[name] for name in TOOL_FIELDS if message.get(name) is not None}
    return {"role": ROLES.get(word, word), "content": content, **tools}


def _without_answer(turns: Sequence[Turn]) -> Sequence[Turn]:
    end = len(turns)
    while end and turns[end - 1]["role"] == "assistant":
        end -= 1
    return turns[:end]


def _text(turns: Sequence[Turn]) -> str | None:
    try:
        return whole_characters(render_messages(turns))
    except UnrankableContent:
        return None


def _as_user(turns: Sequence[Turn]) -> Sequence[Turn]:
    """So that a single turn is its own text, with no role before it."""
    return [{**turn, "role": "user"} for turn in turns]
