"""Which prompts come with which answers: pairs of tokens that stand for the traffic. Pure."""

from collections.abc import Callable
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from registry.artefact.length_distribution import LengthDistribution

Values = npt.NDArray[np.float64]

PROMPT_PARTS, ANSWER_PARTS = 16, 32
"""Strata of a sample, by the tokens of prompts and within each by predicted tokens."""
MOST_PAIRS = PROMPT_PARTS * ANSWER_PARTS


class JointSample(BaseModel):
    """Pairs of prompt tokens and predicted tokens, as they come together in the traffic.

    What a request costs depends on both, and by how much on the engine, which nobody knows at training. So the card
    keeps the pairs, and a server makes of them the distribution of what they cost there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    prompt_tokens: tuple[float, ...] = Field(min_length=1, max_length=MOST_PAIRS)
    """Of each pair; above 0."""
    predicted_tokens: tuple[float, ...]
    """Of each pair; above 0."""
    shares: tuple[float, ...]
    """Of the traffic that each pair stands for; above 0."""
    tokens_per_character: float = Field(gt=0)
    """Of the prompts, all together: what estimates the tokens of a text where nobody counts them."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        columns = (self.prompt_tokens, self.predicted_tokens, self.shares)
        if len({len(column) for column in columns}) > 1 or not all(value > 0 for column in columns for value in column):
            raise ValueError("each pair must have tokens of a prompt, predicted tokens and a share, all above 0.")
        return self

    @classmethod
    def of(cls, prompt_tokens: Values, predicted_tokens: Values, occurrences: Values, characters: Values) -> Self:
        """The pairs of a sample of prompts, all arrays [prompts]; each came so often and has so many characters.

        Of more than `MOST_PAIRS` some stand for others: the sample is cut into parts of equal mass by the prompts'
        tokens, each of these by predicted tokens, and what is in the middle of a part stands for all of it. No means:
        they would leave as few different prompts as there are parts.
        """
        strata = np.arange(len(prompt_tokens))
        if len(prompt_tokens) > MOST_PAIRS:
            strata = _strata(prompt_tokens, predicted_tokens, occurrences)
        order = np.lexsort((predicted_tokens, strata))
        _, starts, sizes = np.unique(strata[order], return_index=True, return_counts=True)
        middle = order[starts + sizes // 2]
        return cls(
            prompt_tokens=tuple(prompt_tokens[middle].tolist()),
            predicted_tokens=tuple(predicted_tokens[middle].tolist()),
            shares=tuple((np.add.reduceat(occurrences[order], starts) / occurrences.sum()).tolist()),
            tokens_per_character=float(occurrences @ prompt_tokens / (occurrences @ characters)),
        )

    def distribution(self, work: Callable[[float, float], float]) -> LengthDistribution:
        """Q of what requests cost, by a function of prompt tokens and predicted tokens that rises with both."""
        costs = map(work, self.prompt_tokens, self.predicted_tokens)
        return LengthDistribution.of(costs, self.shares, max_knots=MOST_PAIRS)

    @cached_property
    def median_prompt_tokens(self) -> float:
        """Of the middle prompt: what one is taken for of which nothing is known."""
        return LengthDistribution.of(self.prompt_tokens, self.shares).median_tokens


def _strata(prompt_tokens: Values, predicted_tokens: Values, occurrences: Values) -> npt.NDArray[np.int64]:
    """Which stratum each of a sample is in, from 0."""
    by_prompt = _parts(prompt_tokens, occurrences, PROMPT_PARTS)
    by_answer = np.zeros_like(by_prompt)
    for part in np.unique(by_prompt):
        its = by_prompt == part
        by_answer[its] = _parts(predicted_tokens[its], occurrences[its], ANSWER_PARTS)
    return by_prompt * ANSWER_PARTS + by_answer


def _parts(values: Values, occurrences: Values, parts: int) -> npt.NDArray[np.int64]:
    """Which part of equal mass each value is in, from the least; equal ones may be in several."""
    order = np.argsort(values, kind="stable")
    mass = occurrences[order]
    middles = (np.cumsum(mass) - mass / 2) / mass.sum()
    part = np.empty(len(values), dtype=np.int64)
    part[order] = (middles * parts).astype(np.int64)
    return part
