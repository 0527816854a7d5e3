"""Rankers without a network, for comparison: fitted on a log's training prompts with scikit-learn, never registered."""

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from registry.errors import InvalidInput
from traffic.labelled_prompts import LabelledPrompts
from training.judging.lexical import LEADING_WORD, lexical_features
from training.judging.statistics.certain_pairs import Values
from training.judging.template_mean import TemplateMean


class Baseline:
    """Learns the log of the output tokens, as recorded (cut answers too), from the training prompts of one target LLM.

    Raises:
        InvalidInput: there is no baseline of this name.
    """

    def __init__(self, name: str, seed: int = 0) -> None:
        if name not in BASELINES:
            raise InvalidInput(f"a baseline must be one of {', '.join(BASELINES)}, but got {name!r}.")
        self._pipeline = BASELINES[name](seed)

    def fit(self, train: LabelledPrompts) -> Self:
        """Fit anew; whatever was learned before is forgotten."""
        self._pipeline.fit(list(train.prompts), np.log(train.output_tokens))
        return self

    def score_all(self, prompts: Sequence[str]) -> Values:
        """Expected log tokens of the prompts, float64 [prompts]; higher = longer."""
        return np.asarray(self._pipeline.predict(list(prompts)), dtype=np.float64)


def _prompt_length(_: int) -> Pipeline:
    """A straight line through the log of the words: its slope learns whether longer prompts get longer answers."""
    return make_pipeline(FunctionTransformer(_log_words), LinearRegression())


def _tfidf_ridge(_: int) -> Pipeline:
    """Ridge regression on TF-IDF of words and pairs of neighbouring words."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\w+|[?!.:]")
    return make_pipeline(words, Ridge())


def _lexical_boosting(seed: int) -> Pipeline:
    """Histogram gradient boosting on the lexical features."""
    boosting = HistGradientBoostingRegressor(categorical_features=[LEADING_WORD], random_state=seed)
    return make_pipeline(FunctionTransformer(lexical_features), boosting)


def _log_words(prompts: Sequence[str]) -> Any:
    return np.log1p([[len(prompt.split())] for prompt in prompts])


BASELINES: dict[str, Callable[[int], Pipeline]] = {
    "prompt_length": _prompt_length,
    "tfidf_ridge": _tfidf_ridge,
    "lexical_boosting": _lexical_boosting,
    "template_mean": lambda _: make_pipeline(TemplateMean()),
}
"""Name -> an unfitted pipeline, from a seed."""
