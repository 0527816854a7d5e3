"""The numbers behind a chart, for those who read rather than see, or want to copy them. Pure."""

from dataclasses import dataclass
from math import ceil

from benchmarks.policies.titles import figure
from charts.chart import AnyChart, BarChart, Chart, DotChart, Grid, Line, SpanChart

MOST_ROWS = 12
"""Of a line: of more points every so many are shown."""


@dataclass(frozen=True)
class DataTable:
    """Heads of columns, and rows of text."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def data_table(chart: AnyChart) -> DataTable:
    """What a chart shows as a table: for lines that share one of their axes, a column a line."""
    match chart:
        case Chart():
            return _of_lines(chart)
        case BarChart():
            return DataTable(("", chart.value_label), tuple((bar.label, bar.text) for bar in chart.bars))
        case DotChart():
            rows = tuple((row.label, ", ".join(map(figure, row.values))) for row in chart.rows)
            return DataTable(("", chart.value_label), rows)
        case Grid():
            columns = (chart.row_label, chart.column_label, chart.value_label)
            return DataTable(columns, tuple((cell.row, cell.column, cell.text) for cell in chart.cells))
        case SpanChart():
            return _of_spans(chart)


def _of_lines(chart: Chart) -> DataTable:
    names = tuple(line.label for line in chart.lines)
    if len({tuple(line.x) for line in chart.lines}) == 1:
        shared, columns = list(chart.lines[0].x), [list(line.y) for line in chart.lines]
        return _side_by_side((chart.x_label, *names), shared, columns)
    if len({tuple(line.y) for line in chart.lines}) == 1:
        shared, columns = list(chart.lines[0].y), [list(line.x) for line in chart.lines]
        return _side_by_side((chart.y_label, *names), shared, columns)
    rows = tuple((line.label, figure(line.x[at]), figure(line.y[at])) for line in chart.lines for at in _shown(line))
    return DataTable(("", chart.x_label, chart.y_label), rows)


def _of_spans(chart: SpanChart) -> DataTable:
    rows = (
        (panel.title, chart.kinds[span.slot], *map(figure, (span.start, span.turn, span.end)))
        for panel in chart.panels
        for span in panel.spans
    )
    return DataTable(("", "", f"{chart.pale} from", "until", f"then until ({chart.x_label})"), tuple(rows))


def _side_by_side(head: tuple[str, ...], shared: list[float], columns: list[list[float]]) -> DataTable:
    rows = (tuple(figure(one[at]) for one in (shared, *columns)) for at in _evenly(len(shared)))
    return DataTable(head, tuple(rows))


def _shown(line: Line) -> list[int]:
    return _evenly(len(line.x))


def _evenly(length: int) -> list[int]:
    """The first place, the last one and some between them."""
    steps = min(length, MOST_ROWS) - 1
    return [ceil(step * (length - 1) / steps) for step in range(steps + 1)] if steps > 0 else list(range(length))
