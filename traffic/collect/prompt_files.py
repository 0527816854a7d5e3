"""The prompts that may be asked: of a log, of a file of prompts, or the lines of a text."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pyarrow as pa

from registry.errors import InvalidInput
from registry.request import render_messages
from registry.request_features import RequestView, view_of
from traffic.cells.names import whole_characters
from traffic.collect.config import CollectConfig
from traffic.files.log_files import DATA_SUFFIXES, LogFile, data_suffix, recognised
from traffic.read import Reading
from traffic.recorded import as_sent
from traffic.rows.row import Row
from traffic.rows.rules import SESSION, Columns, label_needs
from traffic.texts import Texts, table_of

SENT_PARAMS = ("tools", "tool_choice", "response_format", "reasoning_effort", "chat_template_kwargs")
"""What a log's request asked for beside its text that is sent again: all by which the LLM answers otherwise."""
ASKED = pa.schema([pa.field("asked", pa.large_string())])


@dataclass(frozen=True)
class Prompts:
    """Distinct prompts in the order of the file."""

    asked: Texts
    """JSON of each: the `messages` or the `prompt` that is sent, and the `session` that it came from."""
    notes: tuple[str, ...]
    """What a user should know of how they were read: sentences."""


def read_prompts(config: CollectConfig) -> Prompts:
    """All prompts of the file, each once; in Arrow's memory, since there may be millions.

    Raises:
        InvalidInput: the file cannot be read, has no prompts, or none with a text.
    """
    counts: Counter[str] = Counter()
    notes: list[str] = []
    lines = _text_file(config.prompts)
    sent = _of_lines(config, lines) if lines else _of_log(config, counts, notes)
    asked = Texts(table_of(((one,) for one in _distinct(sent, counts)), ASKED)["asked"])
    if not asked:
        left_out = f"; {counts['no_text']:,} rows have no text that can be asked" if counts["no_text"] else ""
        raise InvalidInput(f"there must be at least one prompt, but {config.prompts} has none{left_out}.")
    return Prompts(asked, (*notes, *_told(counts)))


def view_of_asked(asked: str) -> RequestView:
    """What a ranker reads of a request that is to be asked."""
    values = json.loads(asked)
    text = str(values["prompt"]) if "prompt" in values else render_messages(values["messages"])
    return view_of(text, values)


def _text_file(path: Path) -> LogFile | None:
    """The file, if it is one of text lines: neither parquet nor JSON, nor called a table."""
    if not path.is_file() or data_suffix(path) in DATA_SUFFIXES:
        return None
    file = recognised(path)
    return file if file is not None and file.format == "CSV" else None


def _of_lines(config: CollectConfig, file: LogFile) -> Iterator[Mapping[str, Any]]:
    with file.open_text() as text:
        for line in text:
            if not line.isspace():
                yield _sent(config, Row(whole_characters(line.rstrip("\r\n")), None, "ended"))


def _of_log(config: CollectConfig, counts: Counter[str], notes: list[str]) -> Iterator[Mapping[str, Any]]:
    columns = Columns(
        prompt=config.prompt_column, group=SESSION, has_params=config.tools == "on", has_messages=config.api == "chat"
    )
    reading = Reading(config.prompts, config.rules, columns, [label_needs(config.rules)[0]])
    for row in reading.rows():
        if row.text is None:
            counts["no_text"] += 1
        else:
            yield _sent(config, row)
    notes += reading.notes()


def _sent(config: CollectConfig, row: Row) -> Mapping[str, Any]:
    asked = _asked(config, row)
    return asked if row.group is None else {**asked, SESSION: row.group}


def _asked(config: CollectConfig, row: Row) -> Mapping[str, Any]:
    assert row.text is not None
    if config.api == "completions":
        return {"prompt": row.text}
    messages = [{"role": "user", "content": row.text}] if row.messages is None else as_sent(row.messages)
    return {"messages": messages, **_params_sent(row.params or {})}


def _params_sent(params: Mapping[str, Any]) -> Mapping[str, Any]:
    sent = {name: params[name] for name in SENT_PARAMS if name in params}
    if not sent.get("tools"):  # without any, a server refuses a choice among them
        sent.pop("tool_choice", None)
    return sent


def _distinct(sent: Iterable[Mapping[str, Any]], counts: Counter[str]) -> Iterator[str]:
    seen: set[bytes] = set()
    for one in sent:
        asked = whole_characters(json.dumps(one, ensure_ascii=False))
        digest = blake2b(_without_session(one).encode(), digest_size=16).digest()
        if digest in seen:
            counts["twice"] += 1
        else:
            seen.add(digest)
            yield asked


def _without_session(sent: Mapping[str, Any]) -> str:
    """What makes two prompts the same one."""
    return json.dumps({name: value for name, value in sent.items() if name != SESSION})


def _told(counts: Counter[str]) -> Iterator[str]:
    if counts["no_text"]:
        yield f"{counts['no_text']:,} rows without a text that can be asked were left out."
    if counts["twice"]:
        yield f"{counts['twice']:,} rows hold a prompt that stands there before; each is asked once."
