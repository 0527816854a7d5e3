"""Several samples of one prompt as one label. Pure."""

from collections.abc import Sequence
from math import inf
from statistics import median
from typing import NamedTuple


class Label(NamedTuple):
    """What is known of the length of a prompt's answer."""

    output_tokens: float
    is_censored: bool
    """The true length is only known to be at least `output_tokens`."""


def label_of(output_tokens: Sequence[int], is_cut: Sequence[bool]) -> Label:
    """The median of the recorded lengths, and whether it is certain.

    The true length of a cut sample is anything from its recorded one upward, and a median never falls when one of its
    values rises. So the true median lies between the recorded one and the one of endless cut samples: if these two
    agree, no cut sample could have moved it; else the label is censored.
    """
    endless = [inf if cut else tokens for tokens, cut in zip(output_tokens, is_cut, strict=True)]
    recorded = float(median(output_tokens))
    return Label(recorded, recorded != median(endless))
