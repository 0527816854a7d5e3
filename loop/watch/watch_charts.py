"""What a watch has seen, over time, as charts. Pure."""

from collections.abc import Callable, Mapping, Sequence
from math import isnan, nan

from charts.chart import AnyChart, Bar, BarChart, Chart, Line
from loop.fresh.newest import DAY_S
from loop.watch.watched_stretch import Point, Stretch
from serving.drift.watched_answer import Watched

MOST_POINTS, MOST_RANKERS = 300, 4
UNITS_S = {"days": DAY_S, "hours": 3600.0}
LEAST_UNIT = ("minutes", 60.0)
"""The unit of the axis is the first of which the answers span two."""
OTHER_POPULATION = 0.25
"""A stability index above it is of another population."""
CARD, ALARM, CORRECTED = 0, 7, 2
"""How the lines look."""
LOOKS_OF_RANKERS = (1, 3, 4, 5)
NAMES: Mapping[Watched, str] = {
    "kendall_tau_b": "Kendall tau-b",
    "static_gain": "static gain, s per token",
    "calibration": "true ÷ predicted length",
}


def watch_charts(stretches: Sequence[Stretch], unranked: Mapping[str, float]) -> tuple[AnyChart, ...]:
    """Each figure with its reference and alarms, the places, the correction, and the shares that were not ranked."""
    drawn = [one for one in stretches if one.points][-MOST_RANKERS:]
    axis = TimeAxis(drawn)
    figures = [_figure_chart(watched, drawn, axis) for watched in NAMES]
    return (*figures, _stability_chart(drawn, axis), _correction_chart(drawn, axis), _unranked_chart(unranked))


class TimeAxis:
    """Time since the first answers; of a log without times, how many answers of the ranker have come."""

    def __init__(self, stretches: Sequence[Stretch]) -> None:
        times_s = [point.block.at_s for one in stretches for point in one.points]
        self._first_s = min(times_s, default=nan)
        self.has_times = not any(map(isnan, times_s))
        spread_s = max(times_s, default=nan) - self._first_s
        self._unit, self._unit_s = next((one for one in UNITS_S.items() if spread_s >= 2 * one[1]), LEAST_UNIT)

    @property
    def label(self) -> str:
        """What is at the axis."""
        return f"{self._unit} since the first answers" if self.has_times else "answers of the ranker"

    def x(self, point: Point) -> float:
        """The place of a point."""
        return (point.block.at_s - self._first_s) / self._unit_s if self.has_times else float(point.block.end)


def _line(label: str, points: Sequence[Point], axis: TimeAxis, slot: int, value: Callable[[Point], float]) -> Line:
    shown = points[:: max(1, len(points) // MOST_POINTS)]
    return Line(label, [axis.x(one) for one in shown], [value(one) for one in shown], slot, has_dots=False)


def _of_each(stretches: Sequence[Stretch], axis: TimeAxis, value: Callable[[Point], float]) -> list[Line]:
    looks = LOOKS_OF_RANKERS[: len(stretches)][::-1]
    return [_line(one.name, one.points, axis, slot, value) for one, slot in zip(stretches, looks, strict=True)]


def _figure_chart(watched: Watched, stretches: Sequence[Stretch], axis: TimeAxis) -> Chart:
    lines = _of_each(stretches, axis, lambda point: point.rolling.of(watched))
    lines += [_line("card", one.points, axis, CARD, lambda point: _expected(point, watched)) for one in stretches[-1:]]
    if watched == "kendall_tau_b":
        lines += [_line("corrected", one.points, axis, CORRECTED, _placed_tau_b) for one in stretches[-1:]]
    alarms = [point for one in stretches for point in one.points if watched in point.block.begun]
    if alarms:
        x, y = [axis.x(one) for one in alarms], [one.rolling.of(watched) for one in alarms]
        lines.append(Line("alarm", x, y, ALARM, is_joined=False))
    return Chart(
        title=f"{NAMES[watched]}: {_counted(len(alarms))}",
        x_label=axis.label,
        y_label=f"{NAMES[watched]} of the last 500 answers, uncorrected",
        lines=tuple(lines),
        says=f"{NAMES[watched]} of the uncorrected predictions beside what the card says; in the end"
        f" {_last(stretches, lambda point: point.rolling.of(watched))}; {_counted(len(alarms))}.",
        is_log_y=watched == "calibration",
    )


def _expected(point: Point, watched: Watched) -> float:
    return point.block.expected.get(watched, nan)


def _placed_tau_b(point: Point) -> float:
    return point.placed_tau_b


def _counted(alarms: int) -> str:
    return {0: "no alarm", 1: "1 alarm"}.get(alarms, f"{alarms} alarms")


def _last(stretches: Sequence[Stretch], value: Callable[[Point], float]) -> str:
    return f"{value(stretches[-1].points[-1]):.3f}" if stretches else "not known"


def _stability_chart(stretches: Sequence[Stretch], axis: TimeAxis) -> Chart:
    lines = _of_each(stretches, axis, lambda point: point.stability_index)
    ends = [x for line in lines for x in (line.x[0], line.x[-1])]
    x = [min(ends), max(ends)] if ends else []
    limit = Line("another population", x, [OTHER_POPULATION] * len(x), CARD)
    return Chart(
        title="Are the requests of the kinds that the ranker knows?",
        x_label=axis.label,
        y_label="population stability index of the last 500 predictions",
        lines=(*lines, limit),
        says=f"The stability index ends at {_last(stretches, lambda point: point.stability_index)}; above"
        f" {OTHER_POPULATION} the requests are of other kinds than those of validation.",
    )


def _correction_chart(stretches: Sequence[Stretch], axis: TimeAxis) -> Chart:
    return Chart(
        title="What the running correction multiplied by",
        x_label=axis.label,
        y_label="factor, median of 50 answers",
        lines=tuple(_of_each(stretches, axis, lambda point: point.correction)),
        says=f"The factor of the correction ends at {_last(stretches, lambda point: point.correction)}; the others"
        " are without it.",
        is_log_y=True,
    )


def _unranked_chart(unranked: Mapping[str, float]) -> BarChart:
    shares = sorted(unranked.items(), key=lambda one: -one[1])
    bars = tuple(Bar(reason, 100 * share, f"{100 * share:.2f} %") for reason, share in shares)
    return BarChart(
        title="Which answers no tier of the ranker had placed",
        value_label="% of all answers",
        bars=bars or (Bar("none", 0.0, "0 %"),),
        says="; ".join(f"{bar.label}: {bar.text}" for bar in bars) or "All were placed by a tier of the ranker.",
    )
