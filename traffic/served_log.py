"""A log of served traffic: when requests came, and how long prompts and answers were."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from registry.errors import InvalidInput
from registry.request_features import RequestView
from traffic.batch import Traffic
from traffic.cells.asked import NOTHING, asked_cell
from traffic.cells.conversations import MESSAGES
from traffic.labelled_prompts import views_of
from traffic.read import Reading
from traffic.rows.rules import ARRIVAL_COLUMN, PROMPT_TOKENS_COLUMN, Columns, Need, RowRules, length_need
from traffic.texts import Texts

logger = logging.getLogger(__name__)

BYTES_PER_TOKEN = 4
"""Of English text, roughly: what a prompt counts where the log holds its text and not its tokens."""

REQUESTS = pa.schema(
    [
        pa.field("arrival_s", pa.float64()),
        pa.field("prompt_tokens", pa.int64()),
        pa.field("output_tokens", pa.int64()),
        pa.field("prompt_bytes", pa.int64()),
        pa.field("record", pa.int64()),
        pa.field("prompt", pa.large_string()),
        pa.field("asked", pa.large_string()),
    ]
)
"""Of a text that is not kept the bytes are; `record` is its place among all records of the log."""


@dataclass(frozen=True, kw_only=True)
class ServedLogSource(RowRules):
    """Where a log of served traffic is, and how its columns are called."""

    log: Path
    """Served traffic, one row a request: parquet, JSON Lines, JSON or CSV, also compressed by gzip or zstd, or a folder
    of such files; or a log of LiteLLM, Langfuse, OpenTelemetry, OpenAI's batches, vllm bench serve or guidellm."""
    arrival_column: str = ARRIVAL_COLUMN
    """Column of the arrival: seconds from any start, a date with its time, or seconds, milliseconds, microseconds or
    nanoseconds since 1970."""
    prompt_tokens_column: str = PROMPT_TOKENS_COLUMN
    """Column of the prompt's tokens; estimated from the prompt where it is missing."""


@dataclass(frozen=True, kw_only=True)
class ServedLog:
    """A log of which only numbers are kept: millions of rows are some columns. Its prompts are read where needed."""

    source: ServedLogSource
    traffic: Traffic
    """Without prompts."""
    records: npt.NDArray[np.int64] | None
    """Where each request stands in the log; None where it has no prompts."""

    def views(self, numbers: npt.NDArray[np.int64]) -> list[RequestView]:
        """What a ranker reads of some requests by their numbers, in a second reading of the log; a text may be empty.

        If none of them asks for anything beside its text, that is not known.
        """
        assert self.records is not None
        wanted = self.records[numbers].tolist()
        reading = _reading(self.source, has_params=True)
        found: dict[int, tuple[str, str | None]] = {}
        for row in reading.rows(only=frozenset(wanted)):
            found[reading.num_records] = row.text or "", asked_cell(row.params)
        texts, cells = zip(*(found[record] for record in wanted), strict=True)
        return views_of(texts, _known(cells))


def read_served_log(source: ServedLogSource) -> Traffic:
    """Read and validate a log; rows without an answer are left out, and arrivals sorted; both is noted.

    Raises:
        InvalidInput: no such file or column, or a value that cannot be; names row and column.
    """
    requests, traffic = _read(source, keeps_prompts=True)
    if requests["prompt"].null_count == len(requests):
        return traffic
    return replace(
        traffic, prompts=Texts(requests["prompt"].fill_null("")), asked=_known(requests["asked"].to_pylist())
    )


def read_long_log(source: ServedLogSource) -> ServedLog:
    """The same of a log whose prompts need not fit into memory.

    Raises:
        InvalidInput: no such file or column, or a value that cannot be; names row and column.
    """
    requests, traffic = _read(source, keeps_prompts=False)
    has_prompts = requests["prompt_bytes"].null_count < len(requests)
    records = requests["record"].to_numpy() if has_prompts else None
    del requests
    pa.default_memory_pool().release_unused()  # else it keeps what the reading needed: 280 MB for two million rows
    return ServedLog(source=source, traffic=traffic, records=records)


def _read(source: ServedLogSource, keeps_prompts: bool) -> tuple[pa.Table, Traffic]:
    """The answered requests in the order of their arrival, and the same as traffic without prompts."""
    reading = _reading(source, has_params=keeps_prompts)
    table = pa.concat_tables([REQUESTS.empty_table(), *_answered(reading, keeps_prompts)])
    if len(table) < 2:
        raise InvalidInput(
            f"a log must hold at least two answered requests, but {source.log} has {len(table)}."
            + "".join(f" {note}" for note in reading.notes())
        )
    arrival_s = table["arrival_s"].to_numpy()
    order = np.argsort(arrival_s, kind="stable")
    requests = table.take(pa.array(order))
    traffic = Traffic(
        arrival_s=arrival_s[order] - arrival_s[order[0]],
        prompt_tokens=_prompt_tokens(requests),
        output_tokens=requests["output_tokens"].to_numpy(),
        start_s=float(arrival_s[order[0]]),
        notes=(*reading.notes(), *_notes(source, table, reading.num_rows - reading.bad.count - len(table))),
    )
    for note in traffic.notes:
        logger.info("%s", note)
    return requests, traffic


def read_arrivals(path: Path) -> npt.NDArray[np.float64]:
    """The arrivals of a log alone (its column `arrival_s`), in seconds from any start, in the order of the file.

    Raises:
        InvalidInput: no such file or column, or a value that is no time; names the row.
    """
    columns = Columns(arrival=ARRIVAL_COLUMN, needs_arrival=True)
    reading = Reading(path, RowRules(), columns, needs=[Need([ARRIVAL_COLUMN])])
    arrivals_s = np.fromiter((row.arrival_s for row in reading.rows()), dtype=np.float64)
    for note in reading.notes():
        logger.info("%s", note)
    return arrivals_s


def _known(cells: Sequence[str | None]) -> Sequence[str | None] | None:
    """What is asked for beside texts; a null beside others asks for nothing."""
    return [cell or NOTHING for cell in cells] if any(cells) else None


def _reading(source: ServedLogSource, has_params: bool) -> Reading:
    columns = Columns(
        prompt=source.prompt_column,
        length=source.length_column,
        arrival=source.arrival_column,
        prompt_tokens=source.prompt_tokens_column,
        needs_arrival=True,
        has_params=has_params,
    )
    prompts = Need([source.prompt_column, source.prompt_tokens_column, MESSAGES], asked_for=2)
    return Reading(source.log, source, columns, [Need([source.arrival_column]), length_need(source), prompts])


def _answered(reading: Reading, keeps_prompts: bool) -> Iterator[pa.Table]:
    for rows in reading.batches():
        answered = rows.filter(pc.greater(rows["output_tokens"], 0))  # a null is not
        texts = answered["text"]
        named = {name: answered[name] for name in ("arrival_s", "prompt_tokens", "output_tokens", "record")}
        prompts = texts if keeps_prompts else pa.nulls(len(texts), texts.type)
        yield pa.table(
            named | {"prompt_bytes": pc.binary_length(texts), "prompt": prompts, "asked": answered["asked"]}, REQUESTS
        )


def _prompt_tokens(requests: pa.Table) -> npt.NDArray[np.int64]:
    """As the log says, or else as many as the prompt's bytes are likely to be; at least one."""
    estimated = pc.divide(requests["prompt_bytes"], BYTES_PER_TOKEN)
    tokens = pc.fill_null(pc.coalesce(requests["prompt_tokens"], estimated), 1)
    return np.maximum(1, np.asarray(tokens, dtype=np.int64))


def _notes(source: ServedLogSource, table: pa.Table, left_out: int) -> Iterator[str]:
    if left_out:
        yield f"{left_out:,} rows of {source.log.name} without an answer were left out."
    if (np.diff(table["arrival_s"].to_numpy()) < 0).any():
        yield f"The rows of {source.log.name} were not in the order of their arrival and have been sorted."
    if table["prompt_tokens"].null_count:
        yield f"Tokens of prompts were estimated as their bytes ÷ {BYTES_PER_TOKEN}."
