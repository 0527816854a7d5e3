"""What is posted for a planned request: a completion of its prompt, or a chat. Pure."""

from benchmarks.endpoint.endpoint import Endpoint
from benchmarks.endpoint.plan import PlannedRequest

COMPLETIONS, CHAT = "/v1/completions", "/v1/chat/completions"


def path_of(request: PlannedRequest) -> str:
    """The route that takes it."""
    return COMPLETIONS if request.chat is None else CHAT


def body_of(endpoint: Endpoint, request: PlannedRequest, priority: int | None, cache_salt: str) -> dict[str, object]:
    """The JSON of a request: streamed, with its usage, and of the recorded length unless the LLM is to end it.

    Where the endpoint knows it, the salt keeps one replay's prompts from being found in the prefix cache by the next,
    which sends the same ones; what prompts of one replay share is found as in any traffic.
    """
    asked: dict[str, object] = (
        {"prompt": request.prompt, "max_tokens": request.max_tokens}
        if request.chat is None
        else {"messages": request.chat, "max_completion_tokens": request.max_tokens}
    )
    asked |= {"model": endpoint.model, "temperature": 0, "stream": True, "stream_options": {"include_usage": True}}
    asked |= {"ignore_eos": True} if request.limit_tokens is None else {}
    asked |= {"cache_salt": cache_salt} if endpoint.takes_cache_salt else {}
    return asked if priority is None else asked | {"priority": priority}
