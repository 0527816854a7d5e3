"""What a user has for free, beside a ranker: fitted on training prompts in seconds, or rules on a request's parameters.

Their places are found before anything is sent, so finding them costs no time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from benchmarks.policies.outlen_bucket import bucket_places
from benchmarks.policies.places import Values, places
from registry.errors import InvalidInput
from traffic.labelled_prompts import LabelledPrompts, require_two_lengths
from traffic.rows.row import Row

FITTED = ("template_mean", "lexical_boosting", "tfidf_ridge")
"""Baselines of an evaluation (`training/judging/baselines/`) that are policies too."""
RULES = "outlen_bucket"
RIVALS = (RULES, *FITTED)


@dataclass(frozen=True)
class Rivals:
    """The places that rivals give to prompts, and what a reader must know of them."""

    places: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By the policy's name, of each prompt: 0 to 1 among all of them, equal scores share theirs."""
    notes: tuple[str, ...] = ()
    """Sentences."""

    @classmethod
    def of(
        cls, kinds: Iterable[str], prompts: Sequence[str], train: LabelledPrompts | None, rows: Iterable[Row], seed: int
    ) -> Self:
        """Find the places of those rivals that are among the kinds of policies.

        `train` are prompts with lengths that none of `prompts` is among; `rows` is a pass over the log with its
        parameters, which is made only if it is needed.

        Raises:
            InvalidInput: a rival must be fitted, and there is nothing to fit it on.
        """
        chosen = [name for name in RIVALS if name in set(kinds)]
        found, notes = {}, []
        for name in chosen:
            if name == RULES:
                found[name], note = bucket_places(rows, prompts)
                notes.append(note)
            else:
                found[name] = _fitted(name, prompts, train, seed)
        if fitted := [name for name in chosen if name in FITTED]:
            assert train is not None
            notes.append(f"{', '.join(fitted)} learned from the {len(train):,} training prompts of the length log.")
        if chosen:
            notes.append(f"The places of {', '.join(chosen)} were found beforehand, so finding them cost no time.")
        by_prompt = {name: dict(zip(prompts, one.tolist(), strict=True)) for name, one in found.items()}
        return cls(by_prompt, tuple(notes))

    def quantiles_of(self, prompts: Sequence[str]) -> dict[str, Values]:
        """The places of these prompts, by the policy's name."""
        return {name: np.array([of[prompt] for prompt in prompts]) for name, of in self.places.items()}


def _fitted(name: str, prompts: Sequence[str], train: LabelledPrompts | None, seed: int) -> Values:
    if train is None:
        raise InvalidInput(
            f"{name} is fitted on the training prompts of a length log and tried on its test prompts, but got no"
            " length log, or all of one; give lengths=FILE and part=test, or leave it out of policies."
        )
    from training.judging.baselines.baselines import Baseline  # scikit-learn takes seconds to import

    return places(Baseline(name, seed).fit(require_two_lengths(train, "train")).score_all(prompts))
