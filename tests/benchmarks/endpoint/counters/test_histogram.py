"""A Prometheus histogram between two readings of a page."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client import Histogram as Metric

from benchmarks.endpoint.counters.histogram import Histogram
from registry.errors import InvalidInput


def page(values: list[float]) -> str:
    registry = CollectorRegistry()
    metric = Metric("some_seconds", "Some.", ["kind"], buckets=(1, 2, 4), registry=registry)
    for index, value in enumerate(values):
        metric.labels("odd" if index % 2 else "even").observe(value)
    return generate_latest(registry).decode()


def test_label_sets_are_added_up() -> None:
    histogram = Histogram.read(page([0.5, 0.5, 1.5, 3, 9]), "some_seconds")
    assert histogram.limits == (1, 2, 4, float("inf"))
    assert histogram.counts == (2, 3, 4, 5)


def test_difference_of_two_readings_holds_what_came_between() -> None:
    first, second = [Histogram.read(page(values), "some_seconds") for values in ([0.5, 3], [0.5, 3, 1.5, 1.5])]
    assert (second - first).counts == (0, 2, 2, 2)
    assert (second - first).total == 2


@pytest.mark.parametrize(("share", "value"), [(0.1, 0.2), (0.5, 1.0), (0.75, 1.5), (1.0, 2.0)])
def test_quantile_is_interpolated_in_its_bucket(share: float, value: float) -> None:
    assert Histogram((1.0, 2.0, float("inf")), (10.0, 20.0, 20.0)).quantile(share) == pytest.approx(value)


def test_above_the_last_limit_that_limit_is_all_that_is_known() -> None:
    assert Histogram((1.0, 2.0, float("inf")), (0.0, 0.0, 3.0)).quantile(0.5) == 2.0


def test_without_values_there_is_no_quantile() -> None:
    with pytest.raises(InvalidInput, match="was anything ranked"):
        Histogram((1.0, float("inf")), (0.0, 0.0)).quantile(0.5)


def test_page_without_the_histogram_is_an_error() -> None:
    with pytest.raises(InvalidInput, match="is ranking on"):
        Histogram.read(page([]), "other_seconds")
