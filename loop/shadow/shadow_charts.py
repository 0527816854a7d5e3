"""Charts of a shadow, in numbers: rolling tau-b of both, their difference, and where they differ. Pure."""

from collections.abc import Callable, Iterator, Mapping

from charts.chart import AnyChart, Bar, BarChart, Chart, Line
from loop.shadow.disagreements import Group
from loop.shadow.rolling_tau import HOUR_S, Point
from loop.shadow.side_by_side import SideBySide
from registry.ranker import Tier
from registry.store import CHALLENGER, CHAMPION

MOST_GROUPS = 20
TAU = "Kendall tau-b"


def shadow_charts(found: SideBySide, groups: list[Group]) -> Iterator[AnyChart]:
    """All that there are points for."""
    for tier, points in found.by_answers.items():
        yield _both(f"How the {tier} tiers order, as answers came", "answers so far", points, _answers)
    by_time = {tier: points for tier, points in found.by_time.items() if points}
    for tier, points in by_time.items():
        yield _both(f"How the {tier} tiers order, by time", "hours since the first request", points, _hours(points))
    yield _differences("Challenger less champion, as answers came", "answers so far", found.by_answers, _answers)
    if by_time:
        hours = _hours(next(iter(by_time.values())))
        yield _differences("Challenger less champion, by time", "hours since the first request", by_time, hours)
    if groups:
        yield _of_groups(groups)


def _both(title: str, x_label: str, points: list[Point], x_of: Callable[[Point], float]) -> Chart:
    x = [x_of(one) for one in points]
    champion, challenger = [one.champion for one in points], [one.challenger for one in points]
    ends = f"champion {champion[0]:.3f} and {champion[-1]:.3f}, challenger {challenger[0]:.3f} and {challenger[-1]:.3f}"
    return Chart(
        title=title,
        x_label=x_label,
        y_label=TAU,
        lines=(Line(CHAMPION, x, champion, 1), Line(CHALLENGER, x, challenger, 2)),
        says=f"Rolling tau-b of both over {len(points)} points. The first and the last: {ends}.",
        starts_at_zero=False,
    )


def _differences(
    title: str, x_label: str, by_tier: Mapping[Tier, list[Point]], x_of: Callable[[Point], float]
) -> Chart:
    lines = tuple(
        Line(
            tier,
            [x_of(one) for one in points],
            [one.difference.value for one in points],
            slot,
            low=[one.difference.low for one in points],
            high=[one.difference.high for one in points],
        )
        for slot, (tier, points) in enumerate(by_tier.items(), start=1)
    )
    above = ", ".join(f"{tier} {sum(one.difference.low > 0 for one in its)}" for tier, its in by_tier.items())
    below = ", ".join(f"{tier} {sum(one.difference.high < 0 for one in its)}" for tier, its in by_tier.items())
    return Chart(
        title=title,
        x_label=x_label,
        y_label=f"difference of {TAU}",
        lines=lines,
        says=f"Points at which the challenger is surely better: {above}; surely worse: {below}.",
    )


def _of_groups(groups: list[Group]) -> BarChart:
    bars = tuple(
        Bar(
            f"{one.kind} {one.name} ({one.requests:,})",
            100 * one.difference.value,
            f"{100 * one.difference.value:+.1f}",
            1 if one.is_sure else 0,
            100 * one.difference.low,
            100 * one.difference.high,
        )
        for one in groups[:MOST_GROUPS]
    )
    return BarChart(
        title="Where the two differ most: pairs in the right order",
        value_label="points more by the challenger",
        bars=bars,
        says=f"Challenger less champion: {', '.join(f'{bar.label} {bar.text}' for bar in bars)}.",
        mark=0.0,
    )


def _answers(point: Point) -> float:
    return float(point.last)


def _hours(points: list[Point]) -> Callable[[Point], float]:
    first_s = points[0].arrival_s
    return lambda point: (point.arrival_s - first_s) / HOUR_S
