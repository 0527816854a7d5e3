"""Rows with their names above them: beside them, long names would leave no room on a phone."""

from collections.abc import Iterable, Mapping

import altair as alt

ROW_PX, BELOW_PX = 38, 8
"""Height of a row, and how far below its middle what it shows lies."""
NAME_PX = 220
"""A name that is longer ends in dots."""

Row = Mapping[str, str | float]


def rows(values: Iterable[Row]) -> alt.Chart:
    """A chart of values that each have the `place` of a row."""
    y = alt.Y("place:N", sort=None, axis=None, scale=alt.Scale(padding=0))
    return alt.Chart(data(values)).encode(y=y)


def names(labels: Iterable[str]) -> alt.Chart:
    """The names of the rows."""
    named = rows({"place": place, "label": label} for place, label in enumerate(labels))
    text: alt.Chart = named.mark_text(align="left", dy=-BELOW_PX, limit=NAME_PX).encode(text="label:N", x=alt.value(0))
    return text


def data(values: Iterable[Row]) -> alt.InlineData:
    """Values as they stand in a chart."""
    return alt.InlineData(values=[dict(value) for value in values])
