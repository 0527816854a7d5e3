"""Requests with the lengths of their answers: what trains, validates and tests."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat

import numpy as np
import numpy.typing as npt

from registry.errors import InvalidInput
from registry.features.text_features import text_features
from registry.request_features import RequestView, exact, matrix_of
from traffic.cells.asked import asked_in
from traffic.texts import taken

MOST_TEST_PROMPTS = 20_000
"""What is tested unless a user says otherwise: more take minutes to score and tell no more."""


@dataclass(frozen=True)
class LabelledPrompts:
    """Prompts, what is asked for beside them, and the lengths of their answers, in tokens of the target LLM.

    Each is a distinct request; a prompt comes again where other answers to it were asked for.
    """

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
    asked: Sequence[str] | None
    """What is asked for beside each prompt (`traffic/cells/asked.py`); None where the log says nothing of it."""

    @classmethod
    def of(
        cls, prompts: Sequence[str], output_tokens: npt.NDArray[np.float64], is_censored: npt.NDArray[np.bool_]
    ) -> "LabelledPrompts":
        """Prompts that came once each and are their own groups, and nobody knows what else was asked for."""
        once, unknown = np.ones(len(prompts), dtype=np.int64), np.full(len(prompts), np.nan)
        return LabelledPrompts(prompts, output_tokens, is_censored, prompts, once, unknown, None)

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
            asked=None if self.asked is None else taken(self.asked, kept),
        )

    @cached_property
    def views(self) -> Sequence[RequestView]:
        """What a ranker reads of each. Some microseconds each, so this is for those that are trained on or tested."""
        return views_of(self.prompts, self.asked)

    @cached_property
    def features(self) -> npt.NDArray[np.float32]:
        """The vectors of all, float32 [prompts, `FEATURES`]; NaN where a feature is missing."""
        return matrix_of(self.views)


def views_of(prompts: Iterable[str], asked: Iterable[str | None] | None) -> list[RequestView]:
    """What a ranker reads of prompts and of the cells beside them (`traffic/cells/asked.py`), if there are any."""
    return [view_in(*one) for one in zip(prompts, repeat(None) if asked is None else asked, strict=False)]


def view_in(prompt: str, cell: str | None) -> RequestView:
    """What a ranker reads of a prompt and of the cell beside it."""
    asked = asked_in(cell)
    return RequestView(prompt, exact(text_features(prompt)) + asked.features, asked.tools)


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
