"""`traffic/rows/bad_rows.py`: what a user is told of rows that cannot be used."""

import pytest

from registry.errors import InvalidInput
from traffic.cells.bad_cell import BadCell
from traffic.rows.bad_rows import SHOWN, BadRows
from traffic.rows.record import Place


def bad_rows(count: int, tolerated_share: float = 0.0) -> BadRows:
    bad = BadRows(tolerated_share)
    for number in range(1, count + 1):
        bad.add_cell(Place(number), BadCell("a length must be whole", 0.5 + number, "n"))
    return bad


def test_one_bad_row_is_one_sentence() -> None:
    with pytest.raises(InvalidInput) as raised:
        bad_rows(1).check(100)
    assert str(raised.value) == "a length must be whole, but row 1 (the first is 1) has '1.5' in column 'n'."


def test_several_are_listed_together_and_counted() -> None:
    with pytest.raises(InvalidInput) as raised:
        bad_rows(SHOWN + 5).check(100)
    first, *listed = str(raised.value).splitlines()
    assert first.startswith(
        "a length must be whole, but row 1 (the first is 1) has '1.5' in column 'n'; 15 of 100 rows are bad;"
    )
    assert "bad_row_share=" in first
    assert len(listed) == SHOWN + 1
    assert listed[1] == "  row 2 (the first is 1): '2.5' in column 'n'"
    assert listed[-1] == "  and 5 more"


@pytest.mark.parametrize(("count", "is_refused"), [(0, False), (10, False), (11, True)])
def test_as_many_as_are_tolerated_are_left_out(count: int, is_refused: bool) -> None:
    bad = bad_rows(count, tolerated_share=0.1)
    if is_refused:
        with pytest.raises(InvalidInput):
            bad.check(100)
    else:
        bad.check(100)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(InvalidInput, match="bad_row_share must be in"):
        BadRows(share)
