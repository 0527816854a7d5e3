"""LiteLLM's spend logs, as a database or its API gives them; prompts are there only if the proxy stores them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from traffic.adapters.adapter import Adapter, Tell
from traffic.adapters.openai_batch import FAILED, ending
from traffic.cells.nested import nested, unpacked
from traffic.cells.params import params_of
from traffic.rows.record import Record, Values

COLUMNS = (
    *("messages", "proxy_server_request", "response", "completion_tokens", "prompt_tokens"),
    *("startTime", "model", "status", "session_id"),
)


def _recognises(values: Values) -> bool:
    has_prompt = bool({"messages", "proxy_server_request", "response"} & values.keys())
    return has_prompt and {"startTime", "completion_tokens"} <= values.keys()


def _requests(records: Iterable[Record], tell: Tell) -> Iterator[Record]:
    without_prompt = 0
    for record in records:
        messages = _messages(record.values)
        without_prompt += messages is None
        yield record._replace(values={**record.values, **_request(record.values, messages)})
    if without_prompt:
        tell(
            f"{without_prompt:,} rows of LiteLLM hold no prompt; let the proxy store them"
            " (general_settings: store_prompts_in_spend_logs: true)."
        )


def _request(values: Values, messages: Any) -> dict[str, Any]:
    has_failed = str(values.get("status")).lower() == "failure"
    body = unpacked(values.get("proxy_server_request"))
    return {
        **(params_of(body) if isinstance(body, Mapping) else {}),
        "messages": messages,
        "prompt": None,
        "output_tokens": values.get("completion_tokens"),
        "finish_reason": FAILED if has_failed else ending(values.get("response")),
        "arrival_s": values.get("startTime"),
    }


def _messages(values: Values) -> Any:
    """What was asked: in a column of its own, or in the request as the proxy received it."""
    body = values.get("proxy_server_request")
    found = (unpacked(values.get("messages")), nested(body, "messages"), nested(body, "input"), nested(body, "prompt"))
    return next((one for one in found if one), None)


LITELLM = Adapter("LiteLLM", COLUMNS, _recognises, _requests)
