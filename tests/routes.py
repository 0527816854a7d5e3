"""vLLM's POST routes: those that generate, each with a body that works, and those that don't."""

from typing import Any

CHAT: dict[str, Any] = {"messages": [{"role": "user", "content": "say something"}]}
FIVE: dict[str, Any] = {"model": "demo-llm", "max_tokens": 5}

GENERATING: list[tuple[str, dict[str, Any], int]] = [
    ("/v1/chat/completions", {**FIVE, **CHAT}, 1),
    ("/v1/chat/completions", {**FIVE, **CHAT, "n": 3}, 3),
    ("/v1/chat/completions", {**FIVE, **CHAT, "n": 2, "use_beam_search": True}, 9),
    ("/v1/chat/completions/batch", {**FIVE, "messages": [CHAT["messages"]] * 3}, 3),
    ("/v1/completions", {**FIVE, "prompt": "say something"}, 1),
    ("/v1/completions", {**FIVE, "prompt": ["one", "two three", "four"]}, 3),
    ("/v1/completions", {**FIVE, "prompt": [[5, 6], [7, 8]]}, 2),
    ("/v1/completions", {**FIVE, "prompt": "say something", "n": 2, "use_beam_search": True}, 9),
    ("/v1/responses", {"model": "demo-llm", "input": "say something", "max_output_tokens": 5}, 1),
    ("/v1/messages", {**FIVE, **CHAT}, 1),
    ("/invocations", {**FIVE, **CHAT}, 1),
    ("/invocations", {**FIVE, "prompt": "say something"}, 1),
    ("/inference/v1/generate", {"model": "demo-llm", "token_ids": [5, 6], "sampling_params": {"max_tokens": 5}}, 1),
    ("/generative_scoring", {"model": "demo-llm", "query": "a", "items": ["b", "c"], "label_token_ids": [5, 6]}, 2),
]
"""Route, body, and how many engine requests it makes. Beam search: one, then two at each of four more steps."""

NOT_GENERATING = {
    "/detokenize",
    "/inference/v1/abort_requests",
    "/is_scaling_elastic_ep",
    "/ping",
    "/scale_elastic_ep",
    "/tokenize",
    "/v1/chat/completions/derender",
    "/v1/chat/completions/render",
    "/v1/completions/derender",
    "/v1/completions/render",
    "/v1/messages/count_tokens",
    "/v1/messages/render",
    "/v1/responses/render",
    "/v1/responses/{response_id}/cancel",
    "/v1/systemone",  # this model has no head for it
}
