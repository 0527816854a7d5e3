"""Lines as a table: with colours on a terminal, plain and aligned elsewhere, or as JSON."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from io import StringIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from loop.targets.registered import NO_GATE
from loop.targets.target_line import TargetLine
from registry.watch import QUIET

UNKNOWN = "-"
PLAIN_WIDTH = 10_000
"""Nothing is wrapped where another program may read the lines."""

Cell = Callable[[TargetLine], str]


def shown(lines: Sequence[TargetLine], is_json: bool, is_terminal: bool, width: int) -> str:
    """All lines, in the order given."""
    if is_json:
        return json.dumps([asdict(one) for one in lines], indent=2)
    if not lines:
        return "No target LLM is in the registry; train a ranker with `pars train`."
    text = StringIO()
    console = Console(
        file=text, force_terminal=is_terminal, width=width if is_terminal else PLAIN_WIDTH, highlight=False
    )
    console.print(_table(lines, is_terminal))
    return "\n".join(line.rstrip() for line in text.getvalue().rstrip("\n").splitlines())


def _table(lines: Sequence[TargetLine], is_terminal: bool) -> Table:
    table = Table(box=None if not is_terminal else Table().box, pad_edge=False, expand=False)
    for title, _, is_number in COLUMNS:
        table.add_column(title, justify="right" if is_number else "left", no_wrap=not is_terminal)
    for line in lines:
        style = "red" if line.trouble or _is_alarmed(line) else None
        table.add_row(*(Text(cell(line)) for _, cell, _ in COLUMNS), style=style)
    return table


def _is_alarmed(line: TargetLine) -> bool:
    return (line.live.alarm or line.alarm or QUIET) != QUIET


def _number(value: float | None, decimals: int) -> str:
    return UNKNOWN if value is None else f"{value:,.{decimals}f}"


def _age(line: TargetLine) -> str:
    if line.age_days is None:
        return UNKNOWN
    return f"{line.age_days:.0f} d" if line.age_days >= 2 else f"{24 * line.age_days:.0f} h"


def _alarm(line: TargetLine) -> str:
    said = line.live.alarm or line.alarm or UNKNOWN
    return f"{said} ({line.alarm_at})" if line.live.alarm is None and line.alarm and line.alarm_at else said


def _gate(line: TargetLine) -> str:
    return "passed none" if line.gate == NO_GATE else line.gate or UNKNOWN


COLUMNS: tuple[tuple[str, Cell, bool], ...] = (
    ("target LLM", lambda line: line.target_llm, False),
    ("champion", lambda line: UNKNOWN if line.champion is None else str(line.champion), True),
    ("age", _age, True),
    ("tau offline", lambda line: _number(line.kendall_tau_b, 3), True),
    ("tau live", lambda line: _number(line.live.kendall_tau_b, 3), True),
    ("gain offline", lambda line: _number(line.static_gain, 3), True),
    ("gain live", lambda line: _number(line.live.static_gain, 3), True),
    ("answers/day", lambda line: _number(line.live.answers_a_day, 0), True),
    ("correction", lambda line: _number(line.live.correction, 2), True),
    ("watch", _alarm, False),
    ("gate", _gate, False),
    ("yesterday", lambda line: line.yesterday or UNKNOWN, False),
    ("trouble", lambda line: line.trouble or "", False),
)
"""Title, cell, and whether it is a number."""
