"""A length at which suspiciously many answers end: where a log gives no reasons, most likely a limit. Pure."""

from collections.abc import Mapping

LEAST_ANSWERS = 10
LEAST_SHARE = 0.02
LEAST_TOKENS = 16
"""Shorter answers often have the same length by themselves: one word, one letter."""
LEAST_RATIO = 8.0
"""Answers of this length ÷ those of a length near it."""
NEAR = 0.25
"""How far away a length is near, as a share of it."""


def length_spike(answers: Mapping[int, int]) -> tuple[int, int] | None:
    """The length that stands out most and how many answers have it, of the numbers of answers by their length.

    A limit leaves all the answers that would have been longer at one length, and hardly any beyond those lengths.
    """
    total = sum(answers.values())
    least = max(LEAST_ANSWERS, LEAST_SHARE * total)
    spikes = [
        (count, tokens)
        for tokens, count in answers.items()
        if tokens >= LEAST_TOKENS and count >= least and count >= LEAST_RATIO * _near(answers, tokens)
    ]
    count, tokens = max(spikes, default=(0, 0))
    return (tokens, count) if count else None


def _near(answers: Mapping[int, int], tokens: int) -> float:
    """The mean number of answers of a length near this one; lengths that no answer has count too."""
    width = max(1, int(NEAR * tokens))
    there = sum(answers.get(near, 0) for near in range(tokens - width, tokens + width + 1)) - answers[tokens]
    return there / (2 * width)
