"""Which requests can carry a priority in a header, where nothing but a header can be set. Pure.

Read in the source of vLLM 0.32: six routes read `X-Vllm-Priority`. The others read only their body's `priority`, or, as
beam search, send the engine requests with none; and none is 0, which goes before every clock time.
"""

from collections.abc import Iterable
from typing import Any

from serving.api_bodies import RANKABLE_PATHS, uses_beam_search

PRIORITY_HEADER = b"x-vllm-priority"
READ_ONLY_THE_BODY = frozenset({"/v1/chat/completions/batch"})
"""Routes of requests that can be ranked, which read no header."""
SEND_NOTHING_TO_THE_ENGINE = (
    "/abort_requests",
    "/cancel",
    "/count_tokens",
    "/derender",
    "/load_lora_adapter",
    "/render",
    "/unload_lora_adapter",
)
"""How the other routes below the API's prefixes end that a request may take."""
NO_BEAM_SEARCH = (
    "Beam search cannot carry a priority from a middleware: leave `use_beam_search`, or use `bentoml serve`."
)
API_PREFIXES = ("/cohere/", "/inference/", "/v1/", "/v2/")
OTHER_API_ROUTES = frozenset({"/classify", "/generative_scoring", "/pooling", "/rerank", "/score"})


def reads_the_header(path: str) -> bool:
    """Whether the requests of this route carry the priority that the header gives."""
    return path in RANKABLE_PATHS and path not in READ_ONLY_THE_BODY


def objection_to_route(path: str) -> str | None:
    """Why no request of this route can be let through; None if it can. A route that is not known can't."""
    if reads_the_header(path) or path.endswith(SEND_NOTHING_TO_THE_ENGINE):
        return None
    if not path.startswith(API_PREFIXES) and path not in OTHER_API_ROUTES:
        return None  # what an operator uses: /tokenize, /sleep, ...
    return (
        f"{path} cannot carry a priority from a middleware, so it would jump the queue: serve it with `bentoml serve`."
    )


def objection_to_body(body: Any) -> str | None:
    """Why this request cannot be let through, though others of its route can."""
    if uses_beam_search(body):
        return NO_BEAM_SEARCH
    return None


def without_priority(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of an ASGI scope, but for the one that would order vLLM's queue."""
    return [pair for pair in headers if pair[0].lower() != PRIORITY_HEADER]
