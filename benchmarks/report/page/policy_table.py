"""The table that people read: one a load, a row a policy, each figure as text. Pure."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.policies.titles import figure, load_title, title
from benchmarks.report.comparison import at_load
from benchmarks.report.goodput import MET
from benchmarks.report.page.evidence import Evidence
from benchmarks.report.page.policy_slots import slots
from benchmarks.report.summary import E2E_RATIO, RATIO

COLUMNS = {
    "s_per_token": "mean s/token",
    RATIO: "FCFS ÷ it",
    "e2e_s_mean": "mean to last token, s",
    E2E_RATIO: "FCFS ÷ it, to last token",
    MET: "% answered in time",
    "s_per_token_p50": "p50 s/token",
    "s_per_token_p90": "p90 s/token",
    "s_per_token_p99": "p99 s/token",
    "ttft_s_p50": "p50 to first token, s",
    "e2e_s_p50": "p50 to last token, s",
    "e2e_s_p99": "p99 to last token, s",
    "max_wait_s": "longest wait, s",
    "preemptions": "preemp\u00adtions a request",
    "recomputed_tokens": "recom\u00adputed tokens a request",
}
"""What is shown and as what; soft hyphens, where a word is wider than its column."""
SHARES = {MET}
"""Columns that are shown in per cent."""


@dataclass(frozen=True)
class Cell:
    """A figure and its interval."""

    column: str
    text: str
    interval: str


@dataclass(frozen=True)
class Row:
    """A policy."""

    policy: str
    slot: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Section:
    """A load."""

    title: str
    requests: int
    rows: tuple[Row, ...]


def sections(evidence: Evidence, table: pd.DataFrame) -> list[Section]:
    """The load of the headline first, then the others in ascending order."""
    loads = sorted(table.load.drop_duplicates(), key=lambda load: (load != evidence.load, load))
    if pd.isna(evidence.load):
        loads.sort(key=lambda load: not pd.isna(load))
    return [_section(evidence, at_load(table, load), load) for load in loads]


def _section(evidence: Evidence, rows: pd.DataFrame, load: float) -> Section:
    answers = at_load(evidence.answers, load)
    places = slots(rows.policy.tolist())
    return Section(
        load_title(load, evidence.unrated),
        len(answers) // len(rows),
        tuple(Row(title(one["policy"]), places[one["policy"]], _cells(one)) for one in rows.to_dict("records")),
    )


def _cells(row: dict[Hashable, Any]) -> tuple[Cell, ...]:
    shown = {name: column for name, column in COLUMNS.items() if not pd.isna(row.get(name, np.nan))}
    values = {name: 100 * row[name] if name in SHARES else row[name] for name in shown}
    return tuple(Cell(column, figure(values[name]), _interval(row, name)) for name, column in shown.items())


def _interval(row: dict[Hashable, Any], name: str) -> str:
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    if low is None or high is None or pd.isna(low) or low == high:
        return ""
    return f"{figure(low)} to {figure(high)}"
