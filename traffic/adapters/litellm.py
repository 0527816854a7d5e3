"""LiteLLM's spend logs, as a database or its API gives them, and what its loggers write to a bucket.

Read in `schema.prisma` (`LiteLLM_SpendLogs`) and `spend_tracking_utils.py`, of October 2026. Prompts are there only if
the proxy stores them. Reasoning tokens are in `metadata`: `usage_object` or `additional_usage_values`.
"""

from collections.abc import Iterator
from typing import Any

from traffic.adapters.adapter import FAILED, Adapter, one_by_one, request
from traffic.adapters.openai_body import answered, answers_in, asked, reasoning_in
from traffic.adapters.remarks import Remarks
from traffic.cells.nested import nested, unpacked
from traffic.cells.params import params_of
from traffic.cells.times import seconds_between
from traffic.rows.record import Values

TEXTS = ("messages", "proxy_server_request", "response")
TENANTS = ("team_id", "organization_id", "end_user", "user")
COLUMNS = (
    *TEXTS,
    *TENANTS,
    *("completion_tokens", "prompt_tokens", "startTime", "endTime", "completionStartTime", "model", "model_group"),
    *("status", "session_id", "trace_id", "request_id", "id", "call_type", "metadata", "model_parameters"),
)
OTHER_CALLS = ("embedding", "image", "speech", "transcription", "rerank", "moderation", "ocr", "search", "mcp", "video")
"""In the names of calls that bring no text."""
SHORTENED = "litellm_truncated"
"""What stands in a prompt where the proxy left out its middle."""

NO_TEXT = "{count} calls of LiteLLM are none for text (embeddings, images, ...) and were left out."
NO_PROMPT = (
    "{count} rows of LiteLLM hold no prompt; let the proxy store them"
    " (general_settings: store_prompts_in_spend_logs: true)."
)
SHORT_PROMPT = (
    "{count} prompts were shortened by LiteLLM as it stored them; let the proxy store longer ones"
    " (MAX_STRING_LENGTH_PROMPT_IN_DB)."
)


def _recognises(values: Values) -> bool:
    is_row = bool({*TEXTS} & values.keys()) and "startTime" in values
    return is_row and bool({"completion_tokens", "call_type", "spend"} & values.keys())


def _requests(values: Values, remarks: Remarks) -> Iterator[dict[str, Any]]:
    if any(word in str(values.get("call_type")).lower() for word in OTHER_CALLS):
        remarks.counts[NO_TEXT] += 1
        return
    made = _request(values)
    has_prompt = bool(made["messages"] or made["prompt"])
    remarks.counts[NO_PROMPT] += not has_prompt
    remarks.counts[SHORT_PROMPT] += has_prompt and SHORTENED in str(made["messages"] or made["prompt"])
    yield made


def _request(values: Values) -> dict[str, Any]:
    said = answered(values.get("response"))
    from_body = asked(values.get("proxy_server_request"))
    has_failed = str(values.get("status")).lower() == "failure"
    return request(
        values,
        params_of(unpacked(values.get("model_parameters")) or {}),
        from_body,
        _messages(values),
        _tokens(values, said),
        model=values.get("model") or values.get("model_group") or from_body.get("model"),
        answer=said.get("answer"),
        finish_reason=FAILED if has_failed else said.get("finish_reason"),
        arrival_s=values.get("startTime"),
        time_to_first_token_s=seconds_between(values.get("startTime"), values.get("completionStartTime")),
        end_to_end_s=seconds_between(values.get("startTime"), values.get("endTime")),
        request_id=values.get("request_id") or values.get("id"),
        session=values.get("session_id") or values.get("trace_id"),
        tenant=next((name for column in TENANTS if (name := values.get(column))), None),
    )


def _messages(values: Values) -> dict[str, Any]:
    """What was asked, where it stands in a column of its own and not in the request as the proxy received it."""
    messages = unpacked(values.get("messages"))
    return {"messages": messages} if messages else {}


def _tokens(values: Values, said: Values) -> dict[str, Any]:
    """Where nobody counted an answer, as some streams, its length is 0 and its text is not empty."""
    is_counted = bool(values.get("completion_tokens")) or not said.get("answer")
    is_alone = answers_in(values.get("response")) == 1
    usage = nested(values.get("metadata"), "usage_object") or nested(values.get("metadata"), "additional_usage_values")
    return {
        "output_tokens": values.get("completion_tokens") if is_counted and is_alone else None,
        "prompt_tokens": values.get("prompt_tokens") or None,
        "reasoning_tokens": said.get("reasoning_tokens") or reasoning_in(usage),
    }


LITELLM = Adapter("LiteLLM", COLUMNS, _recognises, one_by_one(_requests))
