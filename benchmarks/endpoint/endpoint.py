"""What a replay asks of the endpoint besides answers: its model, and which prompts fit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import httpx
import numpy as np
import numpy.typing as npt

from benchmarks.endpoint.chat_tools import chat_tools
from benchmarks.failures import ReplayError
from registry.request_features import RequestView
from terminal.progress import progress, track
from traffic.labelled_prompts import LabelledPrompts
from traffic.recorded import Recorded

TIMEOUT_S = 60
TEMPLATE_TOKENS = 32
"""What a chat template adds to a message, at most, where the endpoint does not say."""
BYTES_A_TOKEN = 4
"""Of a prompt whose tokens nobody counts, about."""
NOTHING_RECORDED: Mapping[RequestView, Recorded] = {}
AS_TEXT = Recorded()
SALT_TAKERS = ("vllm", "sglang")
"""Owners of a model, as `/v1/models` names them, whose requests may hold a `cache_salt`; others may refuse it."""


@dataclass(frozen=True)
class Endpoint:
    """An OpenAI-compatible server and the model that it serves."""

    url: str
    """Without `/v1`."""
    model: str
    max_model_tokens: int | None = None
    """Its context, prompt and answer together, where it says so."""
    api_key: str | None = field(default=None, repr=False)
    takes_cache_salt: bool = False
    """Whether a request's `cache_salt` keeps its prefix apart in the server's cache."""

    @property
    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}

    def count_tokens(self, client: httpx.Client, prompt: str, sent: Recorded = AS_TEXT) -> int | None:
        """Tokens of a prompt, or of a chat; None where the endpoint does not count them (vLLM does, SGLang prompts)."""
        tools = chat_tools(sent.params.get("tools"))
        chat = {"messages": sent.chat, **({"tools": tools} if tools else {})}
        asked = {"prompt": prompt} if sent.chat is None else chat
        answer = client.post("/tokenize", json={"model": self.model, **asked})
        return int(answer.json()["count"]) if answer.is_success and "count" in answer.json() else None


def connect(url: str, api_key: str | None = None) -> Endpoint:
    """Ask an endpoint for its model.

    Raises:
        ReplayError: there is none, or it does not answer as an OpenAI-compatible one does.
    """
    try:
        answer = httpx.get(f"{url}/v1/models", timeout=TIMEOUT_S, headers=Endpoint(url, "", None, api_key).headers)
        first = answer.raise_for_status().json()["data"][0]
    except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
        raise ReplayError(f"an OpenAI-compatible endpoint must list its models, but {url} did not: {error}.") from error
    takes_cache_salt = first.get("owned_by") in SALT_TAKERS
    return Endpoint(url, str(first["id"]), first.get("max_model_len"), api_key, takes_cache_salt)


def prompt_tokens_of(
    endpoint: Endpoint, prompts: Sequence[RequestView], recorded: Mapping[RequestView, Recorded] = NOTHING_RECORDED
) -> npt.NDArray[np.int64]:
    """Tokens of each prompt, or of the chat that is sent for it; estimated by its bytes where nobody counts them."""
    with httpx.Client(base_url=endpoint.url, headers=endpoint.headers, timeout=TIMEOUT_S) as client:
        counted = [
            endpoint.count_tokens(client, one.text, recorded.get(one, AS_TEXT))
            for one in track(prompts, "count tokens", "prompts")
        ]
    estimated = [max(1, len(one.text.encode()) // BYTES_A_TOKEN) for one in prompts]
    return np.array([guess if one is None else one for one, guess in zip(counted, estimated, strict=True)])


def choose_that_fit(
    endpoint: Endpoint,
    test: LabelledPrompts,
    num_requests: int,
    recorded: Mapping[RequestView, Recorded] = NOTHING_RECORDED,
    limit_tokens: int | None = None,
) -> LabelledPrompts:
    """The first `num_requests` test prompts whose prompt, or the chat that is sent for it, and answer fit the context.

    An answer takes its recorded length, or where the LLM ends it itself, `limit_tokens`.

    Where the endpoint does not count tokens, a prompt counts as many as it has bytes, which is never too few, and each
    message of a chat some more for its template.

    Raises:
        ReplayError: too few do.
    """
    kept: list[int] = []
    with (
        httpx.Client(base_url=endpoint.url, headers=endpoint.headers, timeout=TIMEOUT_S) as client,
        progress("choose prompts that fit", "prompts", num_requests) as advance,
    ):
        for index, view in enumerate(test.views):
            if len(kept) == num_requests:
                break
            answer_tokens = test.output_tokens[index] if limit_tokens is None else limit_tokens
            if _fits(endpoint, client, view.text, recorded.get(view, AS_TEXT), answer_tokens):
                kept.append(index)
                advance()
    if len(kept) < num_requests:
        raise ReplayError(
            f"{num_requests} test prompts must fit the served model's context, but only {len(kept)} of {len(test)} do;"
            " give a longer log, or ask for fewer requests, or for a lower max_output_tokens if no lengths are imposed."
        )
    return test.take(kept)


def _fits(endpoint: Endpoint, client: httpx.Client, prompt: str, sent: Recorded, output_tokens: float) -> bool:
    if endpoint.max_model_tokens is None:
        return True
    counted = endpoint.count_tokens(client, prompt, sent)
    at_most = len(prompt.encode()) + TEMPLATE_TOKENS * len(sent.chat or ())
    prompt_tokens = at_most if counted is None else counted
    return prompt_tokens + output_tokens <= endpoint.max_model_tokens
