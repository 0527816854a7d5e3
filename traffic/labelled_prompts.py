"""Prompts with the lengths of their answers: what trains, validates and tests."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from registry.errors import InvalidInput
from traffic.texts import taken

MOST_TEST_PROMPTS = 20_000
"""What is tested unless a user says otherwise: more take minutes to score and tell no more."""


@dataclass(frozen=True)
class LabelledPrompts:
    """Prompts and the lengths of their answers, in tokens of the target LLM."""

    prompts: Sequence[str]
    output_tokens: npt.NDArray[np.float64]
    is_censored: npt.NDArray[np.bool_]
    """Whether the true length is only known to be at least the recorded one (see `traffic/labelling/samples.py`)."""
    groups: Sequence[str]
    """What the split is a function of: the prompt itself, or its value of the group column."""
    occurrences: npt.NDArray[np.int64]
    """How often each prompt came in the log."""
    prompt_tokens: npt.NDArray[np.float64]
    """Of the prompts themselves, by the target LLM's tokenizer; NaN where the log does not say."""

    @classmethod
    def of(
        cls, prompts: Sequence[str], output_tokens: npt.NDArray[np.float64], is_censored: npt.NDArray[np.bool_]
    ) -> "LabelledPrompts":
        """Prompts that came once each and are their own groups."""
        once, unknown = np.ones(len(prompts), dtype=np.int64), np.full(len(prompts), np.nan)
        return LabelledPrompts(prompts, output_tokens, is_censored, prompts, once, unknown)

    def __len__(self) -> int:
        return len(self.prompts)

    def first(self, at_most: int | None) -> "LabelledPrompts":
        """The first of them, or all."""
        return self.take(range(len(self))[:at_most])

    def take(self, indices: Sequence[int]) -> "LabelledPrompts":
        """Some of them, in the order of the indices."""
        kept = np.array(indices, dtype=np.int64)
        prompts = taken(self.prompts, kept)
        return LabelledPrompts(
            prompts=prompts,
            output_tokens=self.output_tokens[kept],
            is_censored=self.is_censored[kept],
            groups=prompts if self.groups is self.prompts else taken(self.groups, kept),
            occurrences=self.occurrences[kept],
            prompt_tokens=self.prompt_tokens[kept],
        )


def require_two_lengths(part: LabelledPrompts, name: str, notes: Sequence[str] = ()) -> LabelledPrompts:
    """Return the prompts of this name if they can be ranked at all; `notes` say how they came to be so few.

    Raises:
        InvalidInput: no two prompts of different lengths, of which the shorter answer was not cut.
    """
    ended = part.output_tokens[~part.is_censored]
    if not len(ended) or ended.min() == part.output_tokens.max():
        raise InvalidInput(
            f"the {name} part must hold prompts with at least two different lengths, the shorter one not cut, but has"
            f" {len(part)} prompts, {part.is_censored.sum()} of them cut; test and validation are about a tenth of the"
            " log each, so give some hundred prompts or more." + "".join(f" {note}" for note in notes)
        )
    return part


def require_prompts_to_test(name: str, at_most: int) -> None:
    """Refuse a number of test prompts that leaves no pair; 0 stands for all.

    Raises:
        InvalidInput: it is 1 or below 0.
    """
    if at_most < 0 or at_most == 1:
        raise InvalidInput(f"{name} must be at least 2, or 0 for all of them, but got {at_most}.")
