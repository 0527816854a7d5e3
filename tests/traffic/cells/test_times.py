"""`traffic/cells/times.py`."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from traffic.cells.bad_cell import BadCell
from traffic.cells.times import DATES, DATES_WITHOUT_ZONE, SECONDS, arrival_of

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
NOON_S = NOON.timestamp()


@pytest.mark.parametrize(("per_s", "unit"), [(1e3, "milliseconds"), (1e6, "microseconds"), (1e9, "nanoseconds")])
def test_a_count_since_1970_tells_its_unit(per_s: float, unit: str) -> None:
    for value in (int(NOON_S * per_s), NOON_S * per_s, str(int(NOON_S * per_s))):
        arrival = arrival_of(value, "t")
        assert arrival is not None
        assert arrival.seconds == pytest.approx(NOON_S, abs=1e-3)
        assert arrival.form == f"{unit} since 1970"


@pytest.mark.parametrize("value", [0, 3.5, -7, NOON_S, "3.5", 9e10])
def test_other_numbers_are_seconds(value: Any) -> None:
    assert arrival_of(value, "t") == (float(value), SECONDS)


@pytest.mark.parametrize(
    "value",
    [
        *("2026-11-01T12:00:00Z", "2026-11-01 12:00:00+00:00", "2026-11-01T13:00:00+01:00", "2026-11-01 12:00:00 UTC"),
        *("2026-11-01T12:00:00.000000000Z", NOON, NOON.astimezone(timezone(timedelta(hours=5)))),
    ],
)
def test_a_date_with_a_zone_is_a_moment(value: Any) -> None:
    assert arrival_of(value, "t") == (NOON_S, DATES)


@pytest.mark.parametrize("value", ["2026-11-01T12:00:00", "2026-11-01 12:00", NOON.replace(tzinfo=None)])
def test_a_date_without_a_zone_is_taken_as_utc(value: Any) -> None:
    assert arrival_of(value, "t") == (NOON_S, DATES_WITHOUT_ZONE)


@pytest.mark.parametrize("value", ["noon", True, float("inf"), [1], {}, "2026-13-01"])
def test_what_is_no_time_is_bad(value: Any) -> None:
    with pytest.raises(BadCell, match="an arrival must be a number of seconds or a date"):
        arrival_of(value, "t", is_needed=False)


@pytest.mark.parametrize("value", [None, float("nan"), "", "null"])
def test_no_time_is_bad_only_where_one_is_needed(value: Any) -> None:
    assert arrival_of(value, "t", is_needed=False) is None
    with pytest.raises(BadCell):
        arrival_of(value, "t")
