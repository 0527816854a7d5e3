"""What is posted for a planned request: a completion of its prompt, or a chat. Pure."""

from typing import Any

from benchmarks.endpoint.chat_tools import chat_tools
from benchmarks.endpoint.endpoint import Endpoint
from benchmarks.endpoint.plan import PlannedRequest

COMPLETIONS, CHAT = "/v1/completions", "/v1/chat/completions"
DECIDED = frozenset({"max_tokens", "max_completion_tokens", "max_output_tokens", "n", "continue_final_message"})
"""What a replay decides itself: one answer a request, of a length that is imposed or limited."""
BINDING = frozenset(
    {
        *("response_format", "text", "structured_outputs"),
        *("guided_json", "guided_regex", "guided_grammar", "guided_choice"),
    }
)
"""What ends an answer where its form is complete: it could not have its recorded length."""
FREE_CHOICES = ("auto", "none")
"""Of `tool_choice` in a chat: any other one binds the answer to a tool's schema."""


def path_of(request: PlannedRequest) -> str:
    """The route that takes it."""
    return COMPLETIONS if request.chat is None else CHAT


def body_of(endpoint: Endpoint, request: PlannedRequest, priority: int | None, cache_salt: str) -> dict[str, object]:
    """The JSON of a request: streamed, with its usage, and of the recorded length unless the LLM is to end it.

    Where the endpoint knows it, the salt keeps one replay's prompts from being found in the prefix cache by the next,
    which sends the same ones; what prompts of one replay share is found as in any traffic.
    """
    asked: dict[str, object] = {"temperature": 0, **params_sent(request)}
    asked |= (
        {"prompt": request.prompt, "max_tokens": request.max_tokens}
        if request.chat is None
        else {"messages": request.chat, "max_completion_tokens": request.max_tokens}
    )
    asked |= {"model": endpoint.model, "stream": True, "stream_options": {"include_usage": True}}
    asked |= {"ignore_eos": True} if request.limit_tokens is None else {}
    asked |= {"cache_salt": cache_salt} if endpoint.takes_cache_salt else {}
    return asked if priority is None else asked | {"priority": priority}


def params_sent(request: PlannedRequest) -> dict[str, Any]:
    """What the log says that it asked for, as far as its answer can have the length all the same."""
    left_out = DECIDED if request.limit_tokens is not None else DECIDED | BINDING
    params = {name: value for name, value in request.params.items() if name not in left_out}
    return params if request.chat is None else _of_chat(params, is_bound=request.limit_tokens is None)


def _of_chat(params: dict[str, Any], is_bound: bool) -> dict[str, Any]:
    """As a chat takes them; a completion calls no tools, whatever it is sent: there they are for rankers to read."""
    tools, choice = chat_tools(params.pop("tools", None)), params.pop("tool_choice", None)
    if not tools:
        return params
    is_free = choice in FREE_CHOICES or not is_bound
    return {**params, "tools": tools, **({"tool_choice": choice} if choice is not None and is_free else {})}
