"""The mean length of a template's answers: what a server learns that only counts, and never reads a prompt."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

TEMPLATE_WORDS = 3
"""Words by which prompts without a system prompt are told apart."""
SYSTEM = "system: "
"""How a rendered conversation begins that has a system prompt."""


def template_of(prompt: str) -> str:
    """What prompts of one application share: the system prompt where there is one, else the first words."""
    if prompt.startswith(SYSTEM):
        return prompt.partition("\n\n")[0]
    return " ".join(prompt.split(maxsplit=TEMPLATE_WORDS)[:TEMPLATE_WORDS]).casefold()


class TemplateMean(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A running mean over all training answers of a template, however many; of a template that has none, over all."""

    def fit(self, prompts: Sequence[str], log_tokens: Any) -> Self:
        """Learn anew from the log of the output tokens."""
        templates, places, answers = np.unique(
            [template_of(prompt) for prompt in prompts], return_inverse=True, return_counts=True
        )
        tokens = np.exp(log_tokens)
        means = np.bincount(places, tokens) / answers
        self.log_means_ = dict(zip(templates.tolist(), np.log(means).tolist(), strict=True))
        self.log_mean_of_all_ = float(np.log(tokens.mean()))
        return self

    def predict(self, prompts: Sequence[str]) -> Any:
        """Log of the mean tokens of each prompt's template, float64 [prompts]."""
        return np.array([self.log_means_.get(template_of(prompt), self.log_mean_of_all_) for prompt in prompts])
