"""What is sent of each request of a replay: a chat or a completion, and what the log says that it asked for."""

from collections.abc import Mapping
from dataclasses import replace

from benchmarks.endpoint.endpoint import AS_TEXT
from benchmarks.endpoint.plan import PlannedRequest
from benchmarks.replay.config import ReplayConfig
from registry.request_features import RequestView
from traffic.labelled_prompts import LabelledPrompts
from traffic.recorded import Recorded, read_recorded


def requests_to_send(config: ReplayConfig, tested: LabelledPrompts) -> Mapping[RequestView, Recorded]:
    """Each request as the log has it, but its chat as `api` asks for.

    Raises:
        InvalidInput: the log cannot be read.
    """
    recorded = read_recorded(config, tested.views)
    if config.api == "auto":
        return recorded
    if config.api == "completions":
        return {view: one._replace(chat=None) for view, one in recorded.items()}
    return {view: one._replace(chat=one.chat or _of_user(view.text)) for view, one in recorded.items()}


def _of_user(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def as_recorded(
    planned: PlannedRequest,
    prompts: LabelledPrompts,
    recorded: Mapping[RequestView, Recorded],
    limit_tokens: int | None,
) -> PlannedRequest:
    """A planned request with its chat and its parameters."""
    found = recorded.get(prompts.views[planned.number], AS_TEXT)
    return replace(planned, chat=found.chat, params=found.params, limit_tokens=limit_tokens)
