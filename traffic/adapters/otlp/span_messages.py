"""The chat and the answer that a span of generative AI holds, in any of the ways in which instrumentations wrote them.

Read in OpenTelemetry's conventions, October 2026 (`gen_ai.input.messages` with their schemas, in attributes or in the
event `gen_ai.client.inference.operation.details`), in v1.36 (an event a message) and v1.27 (`gen_ai.prompt` in an
event), and as OpenLLMetry has them (`gen_ai.prompt.0.content`). Pure.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traffic.adapters.answer_text import text_of_answer
from traffic.cells.nested import unpacked

Attributes = Mapping[str, Any]
Event = tuple[str, Attributes]

INPUT, INSTRUCTIONS, OUTPUT = "gen_ai.input.messages", "gen_ai.system_instructions", "gen_ai.output.messages"
OLDER_INPUT, OLDER_OUTPUT = "gen_ai.prompt", "gen_ai.completion"
DETAILS = "gen_ai.client.inference.operation.details"
CHOICE = "gen_ai.choice"
MESSAGE_EVENTS = {f"gen_ai.{role}.message": role for role in ("system", "user", "assistant", "tool")}


def asked_of(attributes: Attributes, events: Sequence[Event]) -> dict[str, Any]:
    """The columns of what was asked: a chat, or a text alone; none where the span does not say."""
    given = unpacked(attributes.get(INPUT))
    if not given:
        given = [_event_message(role, held) for name, held in events if (role := MESSAGE_EVENTS.get(name))]
    given = given or unpacked(attributes.get(OLDER_INPUT)) or list(_numbered(attributes, OLDER_INPUT))
    if isinstance(given, str):
        given = [{"role": "user", "content": given}] if attributes.get(INSTRUCTIONS) else given
    if isinstance(given, str):
        return {"prompt": given}
    messages = [*_instructions(unpacked(attributes.get(INSTRUCTIONS))), *map(_message, _as_list(given))]
    return {"messages": messages} if messages else {}


def answer_of(attributes: Attributes, events: Sequence[Event]) -> tuple[str | None, Any, int]:
    """The text of the answer, the reasons why it ended, and how many answers there are."""
    said = unpacked(attributes.get(OUTPUT)) or [_choice(held) for name, held in events if name == CHOICE]
    said = said or unpacked(attributes.get(OLDER_OUTPUT)) or list(_numbered(attributes, OLDER_OUTPUT))
    answers = [said] if isinstance(said, str) else [*map(unpacked, _as_list(said))]
    reasons = [one["finish_reason"] for one in answers if isinstance(one, Mapping) and one.get("finish_reason")]
    return (text_of_answer(answers[0]) if len(answers) == 1 else None), reasons or None, max(1, len(answers))


def _as_list(value: Any) -> list[Any]:
    value = value["messages"] if isinstance(value, Mapping) and "messages" in value else value
    return value if isinstance(value, list) else [value]


def _instructions(given: Any) -> Iterator[dict[str, Any]]:
    """The system's message; its parts may stand alone or in messages."""
    if not given:
        return
    if isinstance(given, list) and all(isinstance(one, Mapping) and "role" in one for one in given):
        yield from map(_message, given)
    else:
        yield _message({"role": "system", "parts": given if isinstance(given, list) else [given]})


def _message(given: Any) -> Any:
    """A message in the form of a chat API; what is none stays, for the reader to refuse."""
    given = unpacked(given)
    if not isinstance(given, Mapping) or "parts" not in given:
        return given
    parts = [one if isinstance(one, Mapping) else {"type": "text", "content": one} for one in given["parts"] or []]
    calls = [_tool_call(part) for part in parts if part.get("type") == "tool_call"]
    content = [_part(part) for part in parts if part.get("type") != "tool_call"]
    if len(content) == 1 and content[0]["type"] == "text":
        content = content[0]["text"]
    return {"role": given.get("role"), "content": content or None, **({"tool_calls": calls} if calls else {})}


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    kind = str(part.get("type") or "text")
    if kind == "tool_call_response":
        response = part.get("response", part.get("result"))
        return {"type": "text", "text": response if isinstance(response, str) else json.dumps(response)}
    if kind in ("text", "reasoning"):
        return {"type": "text", "text": part.get("content", part.get("text")) or ""}
    return {"type": str(part.get("modality") or kind)}


def _tool_call(part: Mapping[str, Any]) -> dict[str, Any]:
    arguments = part.get("arguments")
    called = {"name": part.get("name"), "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments)}
    return {"id": part.get("id"), "type": "function", "function": called}


def _event_message(role: str, held: Attributes) -> Any:
    """A message of conventions up to v1.36, its body in attributes of their own or as JSON in one."""
    body = unpacked(held.get("gen_ai.event.content"))
    body = body if isinstance(body, Mapping) else {**held, **({"content": body} if body else {})}
    return {
        "role": role,
        **{name: unpacked(body[name]) for name in ("role", "content", "tool_calls") if body.get(name)},
    }


def _choice(held: Attributes) -> Any:
    body = unpacked(held.get("gen_ai.event.content"))
    return body if isinstance(body, Mapping) else held


def _numbered(attributes: Attributes, prefix: str) -> Iterator[dict[str, Any]]:
    """Messages whose fields are attributes each: `gen_ai.prompt.0.role`."""
    found: dict[int, dict[str, Any]] = {}
    for name, value in attributes.items():
        number, _, field = name.removeprefix(f"{prefix}.").partition(".")
        if name.startswith(f"{prefix}.") and number.isdecimal() and field in ("role", "content", "finish_reason"):
            found.setdefault(int(number), {})[field] = unpacked(value) if field == "content" else value
    yield from (found[number] for number in sorted(found))
