"""Where ticks stand."""

import pytest

from benchmarks.report.page.scale import scale_over


@pytest.mark.parametrize(
    ("values", "is_log", "ticks"),
    [
        ([0.0, 100.0], False, [0, 20, 40, 60, 80, 100]),
        ([0.3, 1.5], False, [0, 0.5, 1, 1.5]),
        ([0.01, 100.0], True, [0.01, 0.1, 1, 10, 100]),
        ([8.0, 300.0], True, [10, 20, 50, 100, 200]),
        ([1.0, 1e12], True, [1, 1e3, 1e6, 1e9, 1e12]),
    ],
)
def test_ticks_are_few_and_round(values: list[float], is_log: bool, ticks: list[float]) -> None:
    assert scale_over(values, 0, 100, is_log).ticks == pytest.approx(ticks)


def test_values_are_placed_between_the_ends() -> None:
    assert scale_over([0, 10], 0, 100, is_log=False)(5) == 50
    assert scale_over([1, 100], 100, 0, is_log=True)(10) == pytest.approx(50)


@pytest.mark.parametrize("is_log", [False, True])
@pytest.mark.parametrize("values", [[], [3.0], [3.0, 3.0], [float("nan"), 3.0], [0.0]])
def test_constant_and_empty_values_can_be_drawn(values: list[float], is_log: bool) -> None:
    scale = scale_over(values, 0, 100, is_log)
    assert 1 <= len(scale.ticks) <= 6
    assert all(0 <= scale(value) <= 100.001 for value in values if scale.holds(value))
