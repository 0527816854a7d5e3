"""One day of a journal as numbers: what came, where the server placed it, and how long it took."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from loop.yesterday.day_choice import bounds_s
from loop.yesterday.journal_batches import journal_batches
from registry.errors import InvalidInput
from traffic.batch import Traffic

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NUMBERS = (
    "arrival_s",
    "prompt_tokens",
    "output_tokens",
    "time_to_first_token_s",
    "end_to_end_s",
    "held_s",
    "waiting_s",
    "quantile",
    "work_s",
)
COLUMNS = (*NUMBERS, "model", "ending", "placed_by")
KEPT = (*NUMBERS[:5], "quantile", "queued_s")
"""Of each row; `queued_s` is in our hands and in vLLM's queue."""
NOT_PLACED = 0.5
"""Where a server puts what it has no place for."""
BY_RANKER = ("encoder", "instant")


@dataclass(frozen=True, kw_only=True)
class ServedDay:
    """All answers that an engine worked on, in the order of their arrival."""

    day: date
    traffic: Traffic
    quantile: Values
    """The place of each, 0 to 1: as journalled, and the median's where the journal has none."""
    is_counted: Flags
    """Whether it is an answer of the target LLM that ended and was timed: the figures are about these."""
    ttft_s: Values
    """As its client saw it, as the next one; NaN where it is not known."""
    e2e_s: Values
    queued_s: Values
    """In our hands and in vLLM's queue."""
    is_by_work: bool
    """Whether the server's queue was ordered by work."""
    placed_by: dict[str, int]
    """How many of those that count each tier, or what stands in for one, has placed."""


def read_day(journal: Path, target_llm: str, day: date) -> ServedDay:
    """Read a day; no text is looked at, and what is kept of a row is seven numbers.

    Raises:
        InvalidInput: the journal cannot be read, or nothing of that day was ordered, timed and answered.
    """
    parts = [_part(rows, target_llm) for rows in _of_day(journal, day)]
    placed_by = sum((one.placed_by for one in parts), Counter[str]())
    _require(journal, target_llm, day, placed_by)
    order = np.argsort(np.concatenate([one.kept["arrival_s"] for one in parts]), kind="stable")
    kept = {name: np.concatenate([one.kept[name] for one in parts])[order] for name in KEPT}
    is_counted = np.concatenate([one.is_counted for one in parts])[order]
    is_placed = np.isfinite(kept["quantile"])
    return ServedDay(
        day=day,
        traffic=_traffic(kept, tuple(_notes(sum(one.num_empty for one in parts), is_counted, ~is_placed))),
        quantile=np.clip(np.where(is_placed, kept["quantile"], NOT_PLACED), 0.0, 1.0),
        is_counted=is_counted,
        ttft_s=kept["time_to_first_token_s"],
        e2e_s=kept["end_to_end_s"],
        queued_s=kept["queued_s"],
        is_by_work=any(one.is_by_work for one in parts),
        placed_by=dict(placed_by),
    )


class _Part(NamedTuple):
    """Some rows of the day that the engine worked on."""

    kept: dict[str, Values]
    is_counted: Flags
    placed_by: Counter[str]
    """Of those that count."""
    is_by_work: bool
    num_empty: int
    """Rows that never had a token."""


def _of_day(journal: Path, day: date) -> Iterator[pa.Table]:
    begins_s, ends_s = bounds_s(day)
    for rows in journal_batches(journal, COLUMNS):
        arrival_s = rows["arrival_s"]
        yield rows.filter(pc.and_(pc.greater_equal(arrival_s, begins_s), pc.less(arrival_s, ends_s)))


def _part(rows: pa.Table, target_llm: str) -> _Part:
    worked_on = rows.filter(pc.greater(rows["output_tokens"], 0))
    numbers = {name: np.asarray(worked_on[name].cast(pa.float64()).to_numpy()) for name in NUMBERS}
    queued_s = np.nan_to_num(numbers["held_s"]) + np.nan_to_num(numbers["waiting_s"])
    is_counted = _is_counted(worked_on, target_llm, numbers)
    counts = worked_on["placed_by"].filter(pa.array(is_counted)).value_counts()
    return _Part(
        kept={name: (numbers | {"queued_s": queued_s})[name] for name in KEPT},
        is_counted=is_counted,
        placed_by=Counter({one["values"].as_py() or "nothing": one["counts"].as_py() for one in counts}),
        is_by_work=bool(np.isfinite(numbers["work_s"]).any()),
        num_empty=len(rows) - len(worked_on),
    )


def _is_counted(table: pa.Table, target_llm: str, numbers: dict[str, Values]) -> Flags:
    is_own = pc.fill_null(pc.equal(table["model"], target_llm), False).to_numpy()
    has_ended = pc.fill_null(pc.is_in(table["ending"], pa.array(["ended", "cut"])), False).to_numpy()
    is_timed = (numbers["end_to_end_s"] > 0) & (numbers["time_to_first_token_s"] > 0)
    return np.asarray(is_own & has_ended & is_timed)


def _require(journal: Path, target_llm: str, day: date, placed_by: Counter[str]) -> None:
    if (counted := placed_by.total()) < 2:
        raise InvalidInput(
            f"a day must have at least two answers of {target_llm!r} that ended and were timed, but {day} has {counted}"
            f" in {journal}; give another day=DATE."
        )
    if not any(placed_by[tier] for tier in BY_RANKER):
        raise InvalidInput(
            f"no ranker has placed a request to {target_llm!r} on {day} (placed by: {', '.join(sorted(placed_by))}), so"
            " that day was served first come, first served, and there is nothing to compare; give another day=DATE."
        )


def _traffic(numbers: dict[str, Values], notes: tuple[str, ...]) -> Traffic:
    arrival_s = numbers["arrival_s"]
    return Traffic(
        arrival_s=arrival_s - arrival_s[0],
        prompt_tokens=np.maximum(1, np.nan_to_num(numbers["prompt_tokens"], nan=1.0)).astype(np.int64),
        output_tokens=numbers["output_tokens"].astype(np.int64),
        start_s=float(arrival_s[0]),
        notes=notes,
    )


def _notes(num_empty: int, is_counted: Flags, is_unplaced: Flags) -> Iterator[str]:
    if num_empty:
        yield f"{num_empty:,} requests of that day never had a token, and were left out."
    if others := int((~is_counted).sum()):
        yield (
            f"{others:,} answers were simulated with the others, since they were in the same engine, but do not count:"
            " other target LLMs', and those that were left, killed or not timed."
        )
    if unplaced := int(is_unplaced.sum()):
        yield f"{unplaced:,} requests have no place in the journal (a client's own priority): they stand in the middle."
