"""Values as dots, a row a group."""

from statistics import fmean

import altair as alt

from charts.axes import can_be_drawn, scale_of, x_axis
from charts.chart import DotChart
from charts.looks import COLOURS, INK
from charts.rows import BELOW_PX, ROW_PX, names, rows


def dot_chart(chart: DotChart) -> alt.LayerChart:
    """Dots below the name of their group, and a stroke at their mean."""
    groups = [[float(value) for value in row.values if can_be_drawn(value, is_log=False)] for row in chart.rows]
    dots = [{"place": place, "value": value} for place, group in enumerate(groups) for value in group]
    means = [{"place": place, "value": fmean(group)} for place, group in enumerate(groups) if group]
    scale = scale_of((dot["value"] for dot in dots), is_log=False, starts_at_zero=False)
    x = alt.X("value:Q", scale=scale, axis=x_axis(chart.value_label))
    layers = [
        rows(dots).mark_point(filled=True, size=45, opacity=0.6, yOffset=BELOW_PX, color=COLOURS[1]).encode(x=x),
        rows(means).mark_tick(thickness=2, size=16, yOffset=BELOW_PX, color=INK).encode(x=x),
        names(row.label for row in chart.rows),
    ]
    return alt.LayerChart(layer=layers, height=ROW_PX * len(groups))
