"""A log of served traffic: when requests came, and how long prompts and answers were."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from registry.errors import InvalidInput
from traffic.cells.conversations import MESSAGES
from traffic.read import Reading
from traffic.rows.row import Row
from traffic.rows.rules import ARRIVAL_COLUMN, PROMPT_TOKENS_COLUMN, Columns, Need, RowRules, length_need
from traffic.texts import Texts, table_of, taken

logger = logging.getLogger(__name__)

BYTES_PER_TOKEN = 4
"""Of English text, roughly: what a prompt counts where the log holds its text and not its tokens."""

REQUESTS = pa.schema(
    [
        pa.field("arrival_s", pa.float64()),
        pa.field("prompt_tokens", pa.int64()),
        pa.field("output_tokens", pa.int64()),
        pa.field("prompt", pa.large_string()),
    ]
)


@dataclass(frozen=True, kw_only=True)
class ServedLogSource(RowRules):
    """Where a log of served traffic is, and how its columns are called."""

    log: Path
    """Served traffic, one row a request: parquet, JSON Lines, JSON or CSV, also compressed by gzip or zstd, or a folder
    of such files; or LiteLLM's spend logs."""
    arrival_column: str = ARRIVAL_COLUMN
    """Column of the arrival: seconds from any start, a date with its time, or seconds, milliseconds, microseconds or
    nanoseconds since 1970."""
    prompt_tokens_column: str = PROMPT_TOKENS_COLUMN
    """Column of the prompt's tokens; estimated from the prompt where it is missing."""


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Requests in the order in which they are sent: the one form of a batch, read from a log or made up."""

    arrival_s: npt.NDArray[np.float64]
    """When each is sent, from 0."""
    prompt_tokens: npt.NDArray[np.int64]
    output_tokens: npt.NDArray[np.int64]
    prompts: Sequence[str] | None = None
    """None where only lengths are known."""
    token_ids: tuple[tuple[int, ...], ...] | None = None
    """Of the prompts, where prefixes are cached."""
    notes: tuple[str, ...] = ()
    """What was done to the log: sentences."""
    numbers: npt.NDArray[np.int64] | None = None
    """Which request of the batch that some were taken from each one is; unless given, they are counted."""
    clusters: npt.NDArray[np.int64] | None = None
    """Which of them are no evidence beside each other (one session, one prompt drawn again); None where all are."""

    @property
    def request_numbers(self) -> npt.NDArray[np.int64]:
        """Of each request; it keeps its number when it is sent again, at another place."""
        return np.arange(len(self)) if self.numbers is None else self.numbers

    def __len__(self) -> int:
        return len(self.output_tokens)

    @property
    def rate_per_s(self) -> float:
        """Mean requests per second; infinite where all came at once."""
        return float((len(self) - 1) / self.arrival_s[-1]) if self.arrival_s[-1] > 0 else float("inf")

    def that_fit(self, most_tokens: int) -> Self:
        """The requests whose prompt and answer together are no longer, from 0 again; what is left out is noted.

        Raises:
            InvalidInput: fewer than two are left.
        """
        fits = self.prompt_tokens + self.output_tokens <= most_tokens
        if fits.all():
            return self
        if fits.sum() < 2:
            raise InvalidInput(
                f"at least two requests must fit the engine, but only {fits.sum()} of {len(self)} have at most"
                f" {most_tokens} tokens; give a larger max_model_len or kv_cache_tokens."
            )
        note = f"{len(self) - fits.sum():,} requests longer than {most_tokens:,} tokens were left out."
        return replace(self.take(np.flatnonzero(fits))._from_zero(), notes=(*self.notes, note))

    def window(self, start: int, stop: int) -> Self:
        """Some consecutive requests, from 0 again."""
        return self.take(np.arange(len(self))[start:stop])._from_zero()

    def take(self, kept: npt.NDArray[np.int64]) -> Self:
        """The requests at these places, in this order, each with its arrival as it is."""
        return replace(
            self,
            arrival_s=self.arrival_s[kept],
            prompt_tokens=self.prompt_tokens[kept],
            output_tokens=self.output_tokens[kept],
            prompts=None if self.prompts is None else taken(self.prompts, kept),
            token_ids=None if self.token_ids is None else tuple(self.token_ids[one] for one in kept),
            numbers=self.request_numbers[kept],
            clusters=None if self.clusters is None else self.clusters[kept],
        )

    def sent_at(self, times_s: npt.NDArray[np.float64]) -> Self:
        """The same requests at other times, one each."""
        return replace(self, arrival_s=times_s)

    def _from_zero(self) -> Self:
        return self.sent_at(self.arrival_s - self.arrival_s[0])


def read_served_log(source: ServedLogSource) -> Traffic:
    """Read and validate a log; rows without an answer are left out, and arrivals sorted; both is noted.

    Raises:
        InvalidInput: no such file or column, or a value that cannot be; names row and column.
    """
    reading = _reading(source)
    table = table_of(_answered(reading), REQUESTS)
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
        prompts=None if requests["prompt"].null_count == len(requests) else Texts(requests["prompt"].fill_null("")),
        notes=(*reading.notes(), *_notes(source, table, reading.num_rows - reading.bad.count - len(table))),
    )
    for note in traffic.notes:
        logger.info("%s", note)
    return traffic


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


def _reading(source: ServedLogSource) -> Reading:
    columns = Columns(
        prompt=source.prompt_column,
        length=source.length_column,
        arrival=source.arrival_column,
        prompt_tokens=source.prompt_tokens_column,
        needs_arrival=True,
    )
    prompts = Need([source.prompt_column, source.prompt_tokens_column, MESSAGES], asked_for=2)
    return Reading(source.log, source, columns, [Need([source.arrival_column]), length_need(source), prompts])


def _answered(reading: Reading) -> Iterator[tuple[Any, ...]]:
    return (_request(row) for row in reading.rows() if row.output_tokens)


def _request(row: Row) -> tuple[Any, ...]:
    return (row.arrival_s, row.prompt_tokens, row.output_tokens, row.text)


def _prompt_tokens(requests: pa.Table) -> npt.NDArray[np.int64]:
    """As the log says, or else as many as the prompt's bytes are likely to be; at least one."""
    estimated = pc.divide(pc.binary_length(requests["prompt"]), BYTES_PER_TOKEN)
    tokens = pc.fill_null(pc.coalesce(requests["prompt_tokens"], estimated), 1)
    return np.maximum(1, np.asarray(tokens, dtype=np.int64))


def _notes(source: ServedLogSource, table: pa.Table, left_out: int) -> Iterator[str]:
    if left_out:
        yield f"{left_out:,} rows of {source.log.name} without an answer were left out."
    if (np.diff(table["arrival_s"].to_numpy()) < 0).any():
        yield f"The rows of {source.log.name} were not in the order of their arrival and have been sorted."
    if table["prompt_tokens"].null_count:
        yield f"Tokens of prompts were estimated as their bytes ÷ {BYTES_PER_TOKEN}."
