"""The columns of a log of our own form: what is imported, collected and written down, and read with no column named."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from traffic.cells.names import whole_characters
from traffic.rows.row import Row


def _column(name: str, kind: pa.DataType, meaning: str) -> pa.Field:
    return pa.field(name, kind, metadata={"meaning": meaning})


TRAFFIC = pa.schema(
    [
        _column("request_id", pa.string(), "of the request, as the server or its client named it"),
        _column("session", pa.string(), "what several requests belong to: a conversation, an agent's run"),
        _column("tenant", pa.string(), "on whose behalf it was asked"),
        _column("arrival_s", pa.float64(), "seconds since 1970, or from any start"),
        _column("model", pa.string(), "the target LLM"),
        _column("prompt", pa.large_string(), "the text that a ranker reads"),
        _column(
            "messages", pa.large_string(), "JSON of the chat that the prompt was rendered from, without its answer"
        ),
        _column("params", pa.large_string(), "JSON of what was asked for beside the text: max_tokens, tools, ..."),
        _column("prompt_tokens", pa.int64(), "of the prompt, by the target LLM's tokenizer"),
        _column("output_tokens", pa.int64(), "of the answer, those of its reasoning among them"),
        _column("reasoning_tokens", pa.int64(), "those of the answer's tokens that were reasoning"),
        _column("ending", pa.string(), "ended, cut or aborted; null where nothing is known of it"),
        _column("time_to_first_token_s", pa.float64(), "from the arrival"),
        _column("end_to_end_s", pa.float64(), "from the arrival to the answer's last token"),
        _column("predicted_tokens", pa.float64(), "of the answer, as the ranker that placed the request predicted it"),
        _column("ranker_version", pa.string(), "of that ranker"),
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
