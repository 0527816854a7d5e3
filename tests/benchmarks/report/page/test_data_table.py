"""The numbers behind a chart."""

from math import nan

from benchmarks.report.page.data_table import MOST_ROWS, data_table
from charts.chart import Bar, BarChart, Cell, Chart, DotChart, Dots, Grid, Line, Panel, Span, SpanChart


def chart(*lines: Line) -> Chart:
    return Chart(title="t", x_label="load", y_label="seconds", lines=lines, says="s")


def test_lines_over_the_same_x_stand_beside_each_other() -> None:
    table = data_table(chart(Line("FCFS", [1, 2], [0.5, nan], 0), Line("PARS", [1, 2], [4.35e-4, 7.0], 1)))
    assert table.columns == ("load", "FCFS", "PARS")
    assert table.rows == (("1", "0.5", "0.000435"), ("2", "not known", "7"))


def test_distributions_stand_beside_each_other_by_their_shares() -> None:
    shares = [float(share) for share in range(150)]
    table = data_table(chart(Line("FCFS", shares, shares, 0), Line("PARS", [2 * one for one in shares], shares, 1)))
    assert table.columns == ("seconds", "FCFS", "PARS")
    assert len(table.rows) == MOST_ROWS
    assert (table.rows[0][0], table.rows[-1]) == ("0", ("149", "149", "298"))


def test_other_lines_stand_below_each_other() -> None:
    table = data_table(chart(Line("a", [1], [2], 0), Line("b", [3, 4], [5, 6], 1)))
    assert table.rows == (("a", "1", "2"), ("b", "3", "5"), ("b", "4", "6"))


def test_every_other_chart_has_a_table_too() -> None:
    bars = BarChart(title="t", value_label="s", bars=(Bar("a", 1.0, "1 s"),), says="s")
    dots = DotChart(title="t", value_label="tau", rows=(Dots("a", (0.5, 0.6)),), says="s")
    cells = Grid(
        title="t", row_label="r", column_label="c", value_label="v", cells=(Cell("a", "b", 1.0, "one"),), says="s"
    )
    spans = SpanChart(
        title="t", x_label="s", panels=(Panel("p", (Span(0, 1, 3, 1),)),), pale="waits", kinds={1: "short"}, says="s"
    )
    assert data_table(spans).rows == (("p", "short", "0", "1", "3"),)
    assert data_table(bars).rows == (("a", "1 s"),)
    assert data_table(dots).rows == (("a", "0.5, 0.6"),)
    assert data_table(cells).rows == (("a", "b", "one"),)
    assert data_table(chart()).rows == ()
