"""A grid of cells, with its values written in them."""

import json
from collections.abc import Sequence

import altair as alt

from charts.axes import can_be_drawn
from charts.chart import Cell, Grid
from charts.looks import INK, PAPER
from charts.rows import Row, data

COLUMN_PX, CELL_PX, LINE_PX = 110, 44, 14
NAME_LETTERS = 40
"""Of a longer name only the end is shown: paths and names differ there."""
LIGHT, DARK = "#eaf2fb", "#08306b"
LIGHT_TEXT_FROM = 0.5
"""Share of the way from the lightest to the darkest cell, from which the text of a cell is light."""


def cell_chart(grid: Grid) -> alt.LayerChart:
    """Cells, columns across and rows down, in the order in which they first come."""
    rows = list(dict.fromkeys(cell.row for cell in grid.cells))
    columns = list(dict.fromkeys(cell.column for cell in grid.cells))
    cells = (_row(rows.index(cell.row), columns.index(cell.column), cell, grid) for cell in grid.cells)
    across = alt.Axis(title=grid.column_label, labelExpr=_names(columns), labelLimit=0, labelAngle=-25)
    down = alt.Axis(title=grid.row_label, labelExpr=_names(rows), labelLimit=0, titleAngle=0, titleY=-8)
    down.titleAlign, down.titleAnchor, down.titleBaseline = "right", "end", "bottom"
    base = alt.Chart(data(cells)).encode(
        x=alt.X("column:N", sort=None, axis=across), y=alt.Y("row:N", sort=None, axis=down)
    )
    shades = alt.Scale(domain=list(grid.ends), range=[LIGHT, DARK], clamp=True)
    text = base.mark_text(lineBreak="\n", lineHeight=LINE_PX, dy=-LINE_PX / 2).encode(text="text:N")
    layers = [
        base.mark_rect(stroke=PAPER).encode(color=alt.Color("value:Q", scale=shades, legend=None)),
        text.encode(color=alt.Color("ink:N", scale=None)),
    ]
    resolve = alt.Resolve(scale=alt.LegendResolveMap(color="independent"))
    return alt.LayerChart(layer=layers, resolve=resolve, width=COLUMN_PX * len(columns), height=CELL_PX * len(rows))


def _row(row: int, column: int, cell: Cell, grid: Grid) -> Row:
    low, high = grid.ends
    value = float(cell.value) if can_be_drawn(cell.value, is_log=False) else low
    ink = PAPER if (value - low) / (high - low) >= LIGHT_TEXT_FROM else INK
    return {"row": row, "column": column, "value": value, "text": cell.text, "ink": ink}


def _names(names: Sequence[str]) -> str:
    """Vega's expression of the names at an axis of places."""
    shown = [name if len(name) <= NAME_LETTERS else f"…{name[1 - NAME_LETTERS :]}" for name in names]
    return f"{json.dumps(shown)}[datum.value]"
