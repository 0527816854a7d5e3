"""`traffic/labelling/samples.py`."""

from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic.labelling.samples import label_of

SAMPLES = st.lists(st.tuples(st.integers(1, 20), st.booleans(), st.integers(0, 20)), min_size=1, max_size=7)


@pytest.mark.parametrize(
    ("samples", "output_tokens", "is_censored"),
    [
        ("5", 5, False),
        ("5+", 5, True),
        ("1 2 9+", 2, False),  # the median, whatever the longest would have become
        ("1 2+ 9", 2, True),
        ("1+ 2 9", 2, True),
        ("1 2 2+", 2, False),  # two of three are at most 2
        ("4 6", 5, False),
        ("4 6+", 5, True),
        ("4 6 8 9+", 7, False),
        ("4 6 8+ 9", 7, True),
    ],
)
def test_the_label_is_the_median_and_is_censored_if_a_cut_sample_could_move_it(
    samples: str, output_tokens: float, is_censored: bool
) -> None:
    each = samples.split()
    label = label_of([int(one.rstrip("+")) for one in each], [one.endswith("+") for one in each])
    assert label == (output_tokens, is_censored)


@given(SAMPLES)
def test_the_true_median_is_the_label_or_above_a_censored_one(samples: list[tuple[int, bool, int]]) -> None:
    recorded, is_cut, beyond = (list(one) for one in zip(*samples, strict=True))
    label = label_of(recorded, is_cut)
    true = median(tokens + more * cut for tokens, cut, more in zip(recorded, is_cut, beyond, strict=True))
    assert true >= label.output_tokens if label.is_censored else true == label.output_tokens
