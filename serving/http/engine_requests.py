"""What a body asks of the engine, read from nothing but what the client wrote. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.datastructures import Headers

from registry.request import TOO_LARGE, Text, UnrankableContent, reason_of, render_messages
from serving.api_bodies import View, cap_tokens, conversations_of, model_of, request_view
from serving.http.header_routes import PRIORITY_HEADER
from serving.request_stages import ANY_SIZE, EngineRequest, Size

COMPLETION_TOKENS = 16
"""The longest answer of a completion whose request says nothing of it; OpenAI's number, and so vLLM's."""
MOST_SEQUENCES = 16384
"""`n` above this is refused by vLLM, and so is one below 1: it shall not count in the engine's load meanwhile."""
Prompt = tuple[Text, Size]
"""The text, or why there is none, and what is known of its size."""
TRACE_HEADERS = ("traceparent", "tracestate")


def requests_written(path: str, body: Any, headers: Headers, *, caps: bool, most_prompts: int) -> list[EngineRequest]:
    """The engine requests that a body causes, at least one.

    Args:
        path: the route.
        body: the JSON that the client sent.
        headers: the client's.
        caps: whether `max_tokens` caps their place, and is read by rankers at all.
        most_prompts: a longer list is refused by vLLM, so there is nothing to rank in it.
    """
    try:
        prompts, default_cap = _prompts_of(path, body, most_prompts)
    except Exception as error:  # whatever it is over: no request fails because of how we read it
        prompts, default_cap = [(reason_of(error), ANY_SIZE)], None
    cap = cap_tokens(body) or default_cap
    n = _whole_number(body, "n")
    requests = [request_without_body(headers, request_view(text, body, reads_cap=caps), size) for text, size in prompts]
    return [
        replace(
            request,
            model=model_of(body),
            size=replace(request.size, cap_tokens=cap if caps else None),
            num_sequences=n if n is not None and 1 <= n <= MOST_SEQUENCES else 1,
            client_priority=client_priority(headers, body),
        )
        for request in requests
    ]


def request_without_body(headers: Headers, view: View, size: Size = ANY_SIZE) -> EngineRequest:
    """The engine request of which nothing is known but its headers, its view or why there is none, and its size."""
    return EngineRequest(
        model=None,
        view=view,
        size=size,
        num_sequences=1,
        client_priority=client_priority(headers, None),
        trace_headers={name: headers[name] for name in TRACE_HEADERS if name in headers},
    )


def _prompts_of(path: str, body: Any, most_prompts: int) -> tuple[list[Prompt], int | None]:
    conversations = conversations_of(path, body)
    if conversations is None:
        return prompts_of(body, most_prompts), COMPLETION_TOKENS
    (conversation,) = conversations  # the route that takes several reads no header
    return [_prompt(render_messages(conversation))], None


def prompts_of(body: Any, most_prompts: int) -> list[Prompt]:
    """The prompts of a completion's body; token ids and embeddings can't be ranked, but ids are counted."""
    prompt = body.get("prompt") if isinstance(body, Mapping) else None
    if not (isinstance(prompt, list) and any(isinstance(one, (str, list)) for one in prompt)):
        return [_prompt(prompt)]
    if len(prompt) > most_prompts:
        return [(UnrankableContent(TOO_LARGE), ANY_SIZE)]
    return [_prompt(one) for one in prompt]


def _prompt(prompt: Any) -> Prompt:
    if isinstance(prompt, str):
        return prompt, Size(characters=len(prompt))
    return UnrankableContent("no_text"), Size(prompt_tokens=len(prompt)) if isinstance(prompt, list) else ANY_SIZE


def client_priority(headers: Headers, body: Any) -> int:
    """The priority that vLLM would read: the header's if it is an integer, else the body's, else 0."""
    try:
        return int(headers.get(PRIORITY_HEADER.decode(), ""))
    except ValueError:
        return _whole_number(body, "priority") or 0


def _whole_number(body: Any, name: str) -> int | None:
    value = body.get(name) if isinstance(body, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
