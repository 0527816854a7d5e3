"""The columns of a log of our own form: what is imported, collected and written down, and read with no column named."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from traffic.cells.names import whole_characters
from traffic.rows.row import Row


def column(name: str, kind: pa.DataType, meaning: str) -> pa.Field:
    """A column that says what it holds."""
    return pa.field(name, kind, metadata={"meaning": meaning})


TRAFFIC = pa.schema(
    [
        column("request_id", pa.string(), "of the request, as the server or its client named it"),
        column("session", pa.string(), "what several requests belong to: a conversation, an agent's run"),
        column("tenant", pa.string(), "on whose behalf it was asked"),
        column("arrival_s", pa.float64(), "seconds since 1970, or from any start"),
        column("model", pa.string(), "the target LLM"),
        column("prompt", pa.large_string(), "the text that a ranker reads"),
        column("messages", pa.large_string(), "JSON of the chat that the prompt was rendered from, without its answer"),
        column("params", pa.large_string(), "JSON of what was asked for beside the text: max_tokens, tools, ..."),
        column("prompt_tokens", pa.int64(), "of the prompt, by the target LLM's tokenizer"),
        column("output_tokens", pa.int64(), "of the answer, those of its reasoning among them"),
        column("reasoning_tokens", pa.int64(), "those of the answer's tokens that were reasoning"),
        column("ending", pa.string(), "ended, cut or aborted; null where nothing is known of it"),
        column("time_to_first_token_s", pa.float64(), "from the arrival"),
        column("end_to_end_s", pa.float64(), "from the arrival to the answer's last token"),
        column("predicted_tokens", pa.float64(), "of the answer, as the ranker that placed the request predicted it"),
        column("ranker_version", pa.string(), "of that ranker"),
    ]
)
"""One row a request. All may be null; a text and a length make a row that a ranker learns from."""


def record_of(row: Row) -> dict[str, Any]:
    """A row as a record of this schema."""
    values = row._asdict() | {
        "prompt": row.text,
        "messages": _json(row.messages),
        "params": _json(row.params),
        "ending": row.ending if row.is_ending_said else None,
    }
    return {name: values[name] for name in TRAFFIC.names}


def _json(value: Mapping[str, Any] | Sequence[Any] | None) -> str | None:
    return whole_characters(json.dumps(value, ensure_ascii=False, default=str)) if value else None
