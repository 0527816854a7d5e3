"""`traffic/cells/counts.py`."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic.cells.bad_cell import BadCell
from traffic.cells.counts import MOST_TOKENS, tokens_of


@given(st.integers(0, MOST_TOKENS))
def test_a_whole_number_is_read_in_every_form(tokens: int) -> None:
    forms = (tokens, float(tokens), Decimal(tokens), Decimal(f"{tokens}.0"), str(tokens), f" {tokens} ", f"{tokens}.0")
    assert {tokens_of(form, "n") for form in forms} == {tokens}


@pytest.mark.parametrize("value", [None, float("nan"), Decimal("NaN"), "", "  ", "NaN", "null", "None", "N/A", "\\N"])
def test_nothing_is_no_number(value: Any) -> None:
    assert tokens_of(value, "n") is None


@pytest.mark.parametrize(
    "value",
    [
        -1,
        1.5,
        Decimal("1.5"),
        "1.5",
        "-3",
        "many",
        "1,234",
        True,
        float("inf"),
        "inf",
        MOST_TOKENS + 1,
        10**30,
        [3],
        {},
    ],
)
def test_what_is_no_count_is_bad_and_shown(value: Any) -> None:
    with pytest.raises(BadCell, match="a length must be a whole number of tokens") as raised:
        tokens_of(value, "n")
    assert (raised.value.value, raised.value.column) == (str(value), "n")
