"""What a body asks of the engine, read from nothing but what the client wrote. Pure."""

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers

from registry.request import Text, UnrankableContent, cap_tokens, model_of, texts_of
from serving.http.header_routes import PRIORITY_HEADER
from serving.request_stages import EngineRequest

COMPLETION_TOKENS = 16
"""The longest answer of a completion whose request says nothing of it; OpenAI's number, and so vLLM's."""
MOST_SEQUENCES = 16384
"""`n` above this is refused by vLLM, and so is one below 1: it shall not count in the engine's load meanwhile."""
TRACE_HEADERS = ("traceparent", "tracestate")


def requests_written(path: str, body: Any, headers: Headers, caps: bool) -> list[EngineRequest]:
    """The engine requests that a body causes, at least one; `caps` says whether `max_tokens` caps their place."""
    texts = texts_of(path, body)
    texts, default_cap = (prompts_of(body), COMPLETION_TOKENS) if texts is None else (texts, None)
    cap = cap_tokens(body) or default_cap
    n = _whole_number(body, "n")
    num_sequences = n if n is not None and 1 <= n <= MOST_SEQUENCES else 1
    return [
        EngineRequest(
            model=model_of(body),
            text=text,
            cap_tokens=cap if caps else None,
            num_sequences=num_sequences,
            client_priority=client_priority(headers, body),
            trace_headers={name: headers[name] for name in TRACE_HEADERS if name in headers},
        )
        for text in texts or [UnrankableContent("empty")]
    ]


def prompts_of(body: Any) -> list[Text]:
    """The prompts of a completion's body; token ids and embeddings can't be ranked."""
    prompt = body.get("prompt") if isinstance(body, Mapping) else None
    if isinstance(prompt, str):
        return [prompt]
    if isinstance(prompt, list) and any(isinstance(one, (str, list)) for one in prompt):
        return [one if isinstance(one, str) else UnrankableContent("no_text") for one in prompt]
    return [UnrankableContent("no_text")]


def client_priority(headers: Headers, body: Any) -> int:
    """The priority that vLLM would read: the header's if it is an integer, else the body's, else 0."""
    try:
        return int(headers.get(PRIORITY_HEADER.decode(), ""))
    except ValueError:
        return _whole_number(body, "priority") or 0


def _whole_number(body: Any, name: str) -> int | None:
    value = body.get(name) if isinstance(body, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
