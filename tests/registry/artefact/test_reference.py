"""A ranker that scores otherwise here than where it was trained says so, and is used all the same."""

import logging
from math import inf, isclose, nan, pi, sqrt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from registry.artefact.card import (
    LEAST_SPREAD,
    MOST_PROMPTS,
    REFERENCE_PROMPTS,
    REFERENCE_TOLERANCE,
    InvalidRanker,
    ReferenceScores,
)
from registry.ranker import Ranker
from tests.rankers import write_ranker


def reference_of(folder: Path, factor: float = 1.0, spread: float = 10.0) -> ReferenceScores:
    """The reference scores of a ranker from a machine on which each score is `factor` times as high."""
    scorer = Ranker.load(write_ranker(folder)).scorer
    return ReferenceScores.of(lambda prompt: factor * scorer.score(prompt), spread)


@given(st.floats(-0.5, 0.5), st.floats(1e-3, 1e3))
def test_error_is_the_mean_difference_in_spreads(share: float, spread: float) -> None:
    reference = ReferenceScores.of(lambda prompt: float(len(prompt)), spread)
    assert reference.error(lambda prompt: len(prompt)) == 0
    error = reference.error(lambda prompt: len(prompt) + share * spread * (-1) ** len(prompt))
    assert isclose(error, abs(share), rel_tol=1e-6, abs_tol=1e-9)


@pytest.mark.parametrize(("share", "is_told"), [(0.05, False), (0.2, True)])
def test_one_score_that_was_rounded_is_not_told_but_one_that_is_wrong_is(share: float, is_told: bool) -> None:
    reference = ReferenceScores.of(len, 1.0)
    error = reference.error(lambda prompt: len(prompt) + share * (prompt == REFERENCE_PROMPTS[3]))
    assert (error > REFERENCE_TOLERANCE) == is_told


def test_tolerance_is_as_much_order_as_it_says() -> None:
    draws = np.random.default_rng(0).normal(size=(2, 20_000))
    off = REFERENCE_TOLERANCE * draws[1] / np.abs(draws[1]).mean()
    assert kendalltau(draws[0], draws[0] + off).statistic == pytest.approx(
        1 - sqrt(2 / pi) * REFERENCE_TOLERANCE, abs=2e-4
    )


def test_network_that_scores_all_alike_has_a_spread_to_divide_by() -> None:
    reference = ReferenceScores.of(lambda _: 0.5, 0.0)
    assert reference.spread == LEAST_SPREAD
    assert reference.error(lambda _: 0.5) == 0


def test_same_scores_are_loaded_in_silence(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ranker = Ranker.load(write_ranker(tmp_path / "ranker", reference=reference_of(tmp_path / "there")))
    assert ranker.reference_error == 0
    assert caplog.text == ""


def test_other_scores_are_said_once_and_the_ranker_is_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ranker = Ranker.load(write_ranker(tmp_path / "ranker", reference=reference_of(tmp_path / "there", 1.1)))
    assert ranker.reference_error is not None
    assert ranker.reference_error > REFERENCE_TOLERANCE
    assert ranker.predict("one two").score == 2
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "demo-llm" in record.message
    assert f"off by {ranker.reference_error:.3f} of" in record.message
    assert "-e evaluate" in record.message


def test_graph_that_fails_on_a_reference_prompt_is_loaded_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    reference = ReferenceScores(prompts=("a cliff",), scores=(1.0,), spread=1.0)  # the word makes the graph raise
    assert Ranker.load(write_ranker(tmp_path / "raises", reference=reference)).reference_error == inf
    assert Ranker.load(write_ranker(tmp_path / "nan", weight=nan, reference=reference)).reference_error == inf
    assert caplog.text.count("off by inf") == 2


def test_card_without_reference_scores_has_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert Ranker.load(write_ranker(tmp_path / "ranker")).reference_error is None
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("prompts", "scores", "spread"),
    [
        (("Hi",), (), 1.0),
        ((), (), 1.0),
        (("Hi",), (1.0,), 0.0),
        (("Hi",), (nan,), 1.0),
        (("Hi",) * (MOST_PROMPTS + 1), (1.0,) * (MOST_PROMPTS + 1), 1.0),
    ],
)
def test_reference_scores_that_are_none_are_refused(
    tmp_path: Path, prompts: tuple[str, ...], scores: tuple[float, ...], spread: float
) -> None:
    spoilt = ReferenceScores.model_construct(prompts=prompts, scores=scores, spread=spread)
    with pytest.raises(InvalidRanker, match="reference"):
        Ranker.load(write_ranker(tmp_path / "ranker", reference=spoilt))
