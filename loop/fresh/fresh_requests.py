"""What was answered lately: requests with the lengths of their answers, and what the server had said of them."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from math import nan
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from loop.fresh.config import FreshSource
from loop.fresh.newest import DAY_S, newest
from registry.errors import InvalidInput
from registry.request_features import RequestView
from traffic.cells.asked import NOTHING, asked_cell
from traffic.labelled_prompts import views_of
from traffic.notes.keyed_prompts import keyed_note, require_texts
from traffic.read import Reading
from traffic.rows.row import Row
from traffic.rows.rules import SESSION, Columns, length_need

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class FreshRequests:
    """Answered requests of one target LLM, in the order of their arrival; those without one as the log has them."""

    views: Sequence[RequestView] | None
    """What a ranker reads of each; None where texts were not kept."""
    output_tokens: Values
    is_censored: Flags
    """Whether the true length is only known to be at least that."""
    arrival_s: Values
    """Seconds since 1970; NaN where it is not known."""
    groups: Sequence[str]
    """What is evidence only once: the session, or else the prompt, or else the request itself."""
    tenants: Sequence[str | None]
    prompt_tokens: Values
    """NaN where it is not known."""
    predicted_tokens: Values
    """As the ranker that placed the request predicted, uncorrected; NaN where none did, as the next two."""
    correction: Values
    quantile: Values
    ranker_version: Sequence[str | None]
    placed_by: Sequence[str | None]
    fail_open_reason: Sequence[str | None]
    """Why no tier of the ranker placed it; None where one did."""
    where: str
    """Which they are, as a phrase."""
    digest: str
    """Of what they are, in hexadecimal."""
    model: str | None = None
    """How the log names the target LLM; None where it names none."""
    notes: tuple[str, ...] = ()
    """What a user should know of how they were read: sentences."""
    request_ids: Sequence[str | None] | None = None
    """As the server or its client named them; None where nobody did."""

    def __len__(self) -> int:
        return len(self.output_tokens)

    def take(self, places: npt.ArrayLike) -> Self:
        """Those at these places, or flagged, in this order."""
        kept = np.arange(len(self))[np.asarray(places)]
        return replace(self, **{name: _taken(getattr(self, name), kept) for name in _COLUMNS})

    def since(self, arrival_s: float) -> Self:
        """Those that came then or later."""
        return self.take(self.arrival_s >= arrival_s)

    def split_at(self, arrival_s: float) -> tuple[Self, Self]:
        """Those that came before, those of unknown arrival among them, and the others."""
        is_later = self.arrival_s >= arrival_s
        return self.take(~is_later), self.take(is_later)


_COLUMNS = tuple(one.name for one in fields(FreshRequests) if one.name not in ("where", "digest", "model", "notes"))


def read_fresh(source: FreshSource, needs_texts: bool = True) -> FreshRequests:
    """Read the newest answered requests of a target LLM.

    Raises:
        InvalidInput: there is no log, it cannot be read, or it holds no such request (with a text, if one is needed).
    """
    if source.path is None:
        raise InvalidInput(
            f"fresh requests of {source.target_llm} are needed; give journal=FOLDER (a server with PARS_JOURNAL=text"
            " writes one), or log=PATH."
        )
    model = source.model or source.target_llm
    rows, reading = _rows_of(source, source.path, model, needs_texts)
    if not rows and source.model is None and len(reading.models) == 1:
        model = next(iter(reading.models))
        rows, reading = _rows_of(source, source.path, model, needs_texts)
    require_texts(len(rows), reading.keyed_prompts if needs_texts else 0, source.path)
    if not rows:
        named = ", ".join(sorted(reading.models)) or "none"
        raise InvalidInput(
            f"{source.path} holds no answered request of {source.model or source.target_llm!r} (target LLMs that it"
            f" names: {named}); give model=NAME if it is called otherwise there."
            + "".join(f" {note}" for note in reading.notes())
        )
    keyed = None if needs_texts else keyed_note(reading.keyed_prompts)
    notes = tuple(one for one in reading.notes() if one != keyed)
    return _requests(rows, source, model if reading.models else None, notes)


def _rows_of(source: FreshSource, path: Path, model: str, needs_texts: bool) -> tuple[list[Row], Reading]:
    columns = Columns(
        prompt=source.prompt_column,
        length=source.length_column,
        group=SESSION,
        arrival=source.arrival_column,
        prompt_tokens=source.prompt_tokens_column,
        has_params=True,
        has_details=True,
    )
    reading = Reading(path, source, columns, [length_need(source)])

    def is_wanted(row: Row) -> bool:
        return row.left_out in ((None,) if needs_texts else (None, "no_text")) and row.model in (None, model)

    return newest(reading.rows(), source.max_requests, source.days, is_wanted), reading


def _requests(rows: Sequence[Row], source: FreshSource, model: str | None, notes: tuple[str, ...]) -> FreshRequests:
    arrival_s = _numbers(rows, "arrival_s")
    return FreshRequests(
        views=_views(rows),
        output_tokens=_numbers(rows, "output_tokens"),
        is_censored=np.array([row.is_censored for row in rows], dtype=np.bool_),
        arrival_s=arrival_s,
        groups=[row.group or row.text or f"request {number}" for number, row in enumerate(rows)],
        tenants=[row.tenant for row in rows],
        prompt_tokens=_numbers(rows, "prompt_tokens"),
        predicted_tokens=_numbers(rows, "predicted_tokens"),
        correction=_numbers(rows, "correction"),
        quantile=_numbers(rows, "quantile"),
        ranker_version=[row.ranker_version for row in rows],
        placed_by=[row.placed_by for row in rows],
        fail_open_reason=[row.fail_open_reason for row in rows],
        where=_where(source, arrival_s),
        digest=_digest(rows),
        model=model,
        notes=notes,
        request_ids=[row.request_id for row in rows],
    )


def _views(rows: Sequence[Row]) -> Sequence[RequestView] | None:
    """Of a log that says of no request what it asks for beside its text, that is not known."""
    if any(row.text is None for row in rows):
        return None
    cells = [asked_cell(row.params) for row in rows]
    known = [cell or NOTHING for cell in cells] if any(cells) else None
    return views_of((row.text or "" for row in rows), known)


def _numbers(rows: Sequence[Row], name: str) -> Values:
    values = (getattr(row, name) for row in rows)
    return np.array([nan if value is None else value for value in values], dtype=np.float64)


def _where(source: FreshSource, arrival_s: Values) -> str:
    what = "the journal" if source.journal is not None else f"the log {source.log.name if source.log else ''}"
    if np.isnan(arrival_s).any():
        return f"the last {len(arrival_s):,} answers of {what}"
    return f"the newest {len(arrival_s):,} answers of {what}, of {_lasting(arrival_s[-1] - arrival_s[0])}"


def _lasting(seconds: float) -> str:
    """In days, or for less than one in hours, or in minutes."""
    units = {"days": DAY_S, "hours": 3600.0, "minutes": 60.0}
    name = next((name for name, unit in units.items() if seconds >= unit), "minutes")
    return f"{seconds / units[name]:.1f} {name}"


def _digest(rows: Sequence[Row]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json.dumps([row.request_id, row.arrival_s, row.text, row.output_tokens]).encode())
    return digest.hexdigest()[:16]


def _taken(column: Any, kept: npt.NDArray[np.int64]) -> Any:
    if column is None or isinstance(column, np.ndarray):
        return column if column is None else column[kept]
    return [column[place] for place in kept.tolist()]
