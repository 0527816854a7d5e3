"""Rankers without a network, for comparison: fitted on a log's training prompts with scikit-learn, never registered."""

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from registry.errors import InvalidInput
from registry.features.asked_features import ASKED_FEATURES
from registry.order.certain_pairs import Values
from registry.request_features import Readable, RequestView, as_view, matrix_of
from traffic.labelled_prompts import LabelledPrompts
from training.judging.baselines.lexical import LEADING_WORD, lexical_features
from training.judging.baselines.llm_d_rules import bucket_of
from training.judging.baselines.template_mean import TemplateMean


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
        self._pipeline.fit(list(train.views), np.log(train.output_tokens))
        return self

    def score_all(self, prompts: Sequence[Readable]) -> Values:
        """Expected log tokens of the answers, or what stands for them, float64 [prompts]; higher = longer."""
        return np.asarray(self._pipeline.predict([*map(as_view, prompts)]), dtype=np.float64)


def _prompt_length(_: int) -> Pipeline:
    """A straight line through the log of the words: its slope learns whether longer prompts get longer answers."""
    return _of_texts(FunctionTransformer(_log_words), LinearRegression())


def _tfidf_ridge(_: int) -> Pipeline:
    """Ridge regression on TF-IDF of words and pairs of neighbouring words."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\w+|[?!.:]")
    return _of_texts(words, Ridge())


def _lexical_boosting(seed: int) -> Pipeline:
    """Histogram gradient boosting on the lexical features."""
    boosting = HistGradientBoostingRegressor(categorical_features=[LEADING_WORD], random_state=seed)
    return _of_texts(FunctionTransformer(lexical_features), boosting)


def _feature_boosting(seed: int) -> Pipeline:
    """The same on the lexical features and on all that a ranker reads of a request beside its text."""
    boosting = HistGradientBoostingRegressor(categorical_features=[LEADING_WORD], random_state=seed)
    return make_pipeline(FunctionTransformer(_all_features), boosting)


def _of_texts(*steps: Any) -> Pipeline:
    return make_pipeline(FunctionTransformer(_texts), *steps)


def _texts(views: Sequence[RequestView]) -> list[str]:
    return [view.text for view in views]


def _all_features(views: Sequence[RequestView]) -> Values:
    # No feature is below 0, and scikit-learn's trees fail on one that is NaN everywhere.
    return np.hstack([lexical_features(_texts(views)), np.nan_to_num(matrix_of(views), nan=-1.0)])


class Rules(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """The rules of `llm_d_rules.py`; there is nothing to learn."""

    def fit(self, *_: Any) -> Self:
        """Nothing."""
        self.fitted_ = True
        return self

    def predict(self, views: Sequence[RequestView]) -> Any:
        """The bucket of each request, [requests]."""
        return np.array([float(bucket_of(view.features[-len(ASKED_FEATURES) :])) for view in views])


def _log_words(prompts: Sequence[str]) -> Any:
    return np.log1p([[len(prompt.split())] for prompt in prompts])


BASELINES: dict[str, Callable[[int], Pipeline]] = {
    "prompt_length": _prompt_length,
    "tfidf_ridge": _tfidf_ridge,
    "lexical_boosting": _lexical_boosting,
    "feature_boosting": _feature_boosting,
    "template_mean": lambda _: _of_texts(TemplateMean()),
    "outlen_bucket": lambda _: make_pipeline(Rules()),
}
"""Name -> an unfitted pipeline, from a seed."""
