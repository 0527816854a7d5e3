"""The time axis of the watch's charts."""

from types import SimpleNamespace
from typing import Any

import pytest

from loop.watch.watch_charts import TimeAxis


def seen(*times_s: float) -> Any:
    """A stretch of points; only their times are looked at."""
    return SimpleNamespace(points=[SimpleNamespace(block=SimpleNamespace(at_s=at_s)) for at_s in times_s])


@pytest.mark.parametrize(
    ("spread_s", "unit", "end"),
    [(60.0, "minutes", 1.0), (7199.0, "minutes", 7199 / 60), (7200.0, "hours", 2.0), (4 * 86_400.0, "days", 4.0)],
)
def test_unit_is_one_in_which_the_spread_can_be_read(spread_s: float, unit: str, end: float) -> None:
    first, last = seen(1000.0), seen(1000.0 + spread_s)
    axis = TimeAxis([first, last])
    assert axis.label == f"{unit} since the first answers"
    assert axis.x(last.points[0]) == pytest.approx(end)
