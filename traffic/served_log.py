"""A log of served traffic: when requests came, and how long prompts and answers were."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from registry.errors import InvalidInput
from traffic.cells import output_tokens_of, text_of
from traffic.table import Columns, read_columns

logger = logging.getLogger(__name__)

BYTES_PER_TOKEN = 4
"""Of English text, roughly: what a prompt counts where the log holds its text and not its tokens."""


@dataclass(frozen=True, kw_only=True)
class ServedLogSource:
    """Where a log of served traffic is, and how its columns are called."""

    log: Path
    """Served traffic: parquet or JSON Lines, one row a request."""
    arrival_column: str = "arrival_s"
    """Column of the arrival: seconds from any start, or a date with its time."""
    prompt_column: str = "prompt"
    """Column of the prompt, text or a list of chat messages; may be missing if the prompts' tokens are there."""
    prompt_tokens_column: str = "prompt_tokens"
    """Column of the prompt's tokens; estimated from the prompt where it is missing."""
    length_column: str = "output_tokens"
    """Column of the answer's length, in tokens of the target LLM."""


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Requests in the order in which they are sent: the one form of a batch, read from a log or made up."""

    arrival_s: npt.NDArray[np.float64]
    """When each is sent, from 0."""
    prompt_tokens: npt.NDArray[np.int64]
    output_tokens: npt.NDArray[np.int64]
    prompts: tuple[str, ...] | None = None
    """None where only lengths are known."""
    token_ids: tuple[tuple[int, ...], ...] | None = None
    """Of the prompts, where prefixes are cached."""
    notes: tuple[str, ...] = ()
    """What was done to the log: sentences."""

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
            prompts=None if self.prompts is None else tuple(self.prompts[one] for one in kept),
            token_ids=None if self.token_ids is None else tuple(self.token_ids[one] for one in kept),
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
    columns = _read_columns(source)
    lengths = columns[source.length_column]
    tokens = [output_tokens_of(value, row, source.length_column) for row, value in enumerate(lengths)]
    kept = [row for row, value in enumerate(tokens) if value]
    if len(kept) < 2:
        raise InvalidInput(f"a log must hold at least two answered requests, but {source.log} has {len(kept)}.")
    arrival_s = np.array([_seconds(columns[source.arrival_column][row], row, source.arrival_column) for row in kept])
    order = np.argsort(arrival_s, kind="stable")
    rows = [kept[place] for place in order]
    prompts = _prompts(columns, rows, source.prompt_column)
    prompt_tokens = _prompt_tokens(columns, rows, prompts, source)
    traffic = Traffic(
        arrival_s=arrival_s[order] - arrival_s[order[0]],
        prompt_tokens=np.array(prompt_tokens, dtype=np.int64),
        output_tokens=np.array([tokens[row] for row in rows], dtype=np.int64),
        prompts=prompts,
        notes=tuple(_notes(source, columns, len(lengths) - len(kept), bool((np.diff(arrival_s) < 0).any()))),
    )
    for note in traffic.notes:
        logger.info("%s", note)
    return traffic


def read_arrivals(path: Path) -> npt.NDArray[np.float64]:
    """The arrivals of a log alone (its column `arrival_s`), in seconds from any start, in the order of the file.

    Raises:
        InvalidInput: no such file or column, or a value that is no number of seconds; names the row.
    """
    column = ServedLogSource.arrival_column
    values = read_columns(path, [column], [])[column]
    for row, value in enumerate(values):
        if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value):
            raise InvalidInput(
                f"an arrival must be a finite number of seconds, but row {row + 1} (the first is 1) of {path} has"
                f" {str(value)[:60]!r} in column {column!r}."
            )
    return np.array(values, dtype=np.float64)


def _read_columns(source: ServedLogSource) -> Columns:
    required = [source.arrival_column, source.length_column]
    columns = read_columns(source.log, required, [source.prompt_column, "messages", source.prompt_tokens_column])
    if not {source.prompt_column, "messages", source.prompt_tokens_column} & set(columns):
        raise InvalidInput(
            f"a log must hold prompts or how many tokens they have, but {source.log} has neither"
            f" {source.prompt_column!r} nor {source.prompt_tokens_column!r}; choose with prompt_column or"
            " prompt_tokens_column."
        )
    return columns


def _seconds(value: Any, row: int, column: str) -> float:
    """Seconds of a number, or of a date since 1970 (only differences count)."""
    try:
        seconds = (datetime.fromisoformat(value) if isinstance(value, str) else value).timestamp()
    except (ValueError, AttributeError):
        seconds = value
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not isfinite(seconds):
        raise InvalidInput(
            f"an arrival must be a number of seconds or a date with its time, but row {row + 1} (the first is 1) has"
            f" {str(value)[:60]!r} in column {column!r}."
        )
    return float(seconds)


def _prompts(columns: Columns, rows: list[int], prompt_column: str) -> tuple[str, ...] | None:
    if not {prompt_column, "messages"} & set(columns):
        return None
    return tuple(text_of(columns, row, prompt_column) or "" for row in rows)


def _prompt_tokens(
    columns: Columns, rows: list[int], prompts: tuple[str, ...] | None, source: ServedLogSource
) -> list[int]:
    if source.prompt_tokens_column in columns:
        values, column = columns[source.prompt_tokens_column], source.prompt_tokens_column
        return [max(1, output_tokens_of(values[row], row, column) or 1) for row in rows]
    assert prompts is not None
    return [max(1, len(prompt.encode()) // BYTES_PER_TOKEN) for prompt in prompts]


def _notes(source: ServedLogSource, columns: Columns, left_out: int, was_unsorted: bool) -> list[str]:
    notes = []
    if left_out:
        notes.append(f"{left_out:,} rows of {source.log.name} without an answer were left out.")
    if was_unsorted:
        notes.append(f"The rows of {source.log.name} were not in the order of their arrival and have been sorted.")
    if source.prompt_tokens_column not in columns:
        notes.append(f"Tokens of prompts were estimated as their bytes ÷ {BYTES_PER_TOKEN}.")
    return notes
