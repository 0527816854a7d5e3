"""Predicted tokens -> quantile: strictly increasing all the way, over the mass of the traffic."""

from itertools import pairwise
from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from registry.artefact.length_distribution import LengthDistribution, Mixture


def test_quantile_is_the_share_of_shorter_predictions() -> None:
    sample = np.random.default_rng(0).lognormal(4, 1, 5000)
    distribution = LengthDistribution.of(sample)
    for share in (0.05, 0.25, 0.5, 0.75, 0.95):
        assert distribution.quantile(float(np.quantile(sample, share))) == pytest.approx(share, abs=0.005)
    assert distribution.quantile(distribution.median_tokens) == pytest.approx(0.5, abs=0.005)


@given(st.lists(st.floats(1e-3, 1e7), min_size=2, max_size=20, unique=True))
def test_longer_prediction_has_the_higher_quantile(tokens: list[float]) -> None:
    distribution = LengthDistribution(tokens=(2.0, 10.0, 30.0))
    quantiles = [distribution.quantile(one) for one in sorted(tokens)]
    assert all(0 < quantile < 1 for quantile in quantiles)
    assert all(sooner <= later for sooner, later in pairwise(quantiles))


def test_tails_do_not_tie() -> None:
    distribution = LengthDistribution(tokens=(2.0, 10.0, 30.0))
    assert distribution.quantile(0.5) < distribution.quantile(1.5) < distribution.quantile(2.0)
    assert distribution.quantile(30.0) < distribution.quantile(40.0) < distribution.quantile(4000.0)


def test_distribution_of_equal_predictions_still_works() -> None:
    assert LengthDistribution.of([7.0] * 50).quantile(7.0) == pytest.approx(0.5)


TRAFFIC = st.lists(st.tuples(st.integers(1, 60).map(float), st.integers(1, 200)), min_size=1, max_size=60)


@given(TRAFFIC, st.sampled_from([0.0, 0.3, 2.0]), st.integers(1, 5))
def test_the_mean_place_over_the_traffic_is_the_middle_and_ties_share_theirs(
    traffic: list[tuple[float, int]], band: float, scale: int
) -> None:
    tokens, occurrences = (np.array(one) for one in zip(*traffic, strict=True))
    distribution = LengthDistribution.of(tokens, scale * occurrences, band_log_tokens=band)
    places = np.array([distribution.quantile(one) for one in tokens])
    assert np.average(places, weights=occurrences) == pytest.approx(0.5)
    assert (np.diff(places[np.argsort(tokens)]) >= 0).all()
    if not band:  # Of each length: the share of shorter ones, and half of the equal ones.
        mass = occurrences / occurrences.sum()
        expected = [mass[tokens < one].sum() + mass[tokens == one].sum() / 2 for one in tokens]
        assert places == pytest.approx(expected)


def test_a_length_that_is_half_of_the_traffic_keeps_its_mass() -> None:
    distribution = LengthDistribution.of([10.0, *[50.0] * 5, *range(100, 104)])
    assert distribution.quantile(10.0) == pytest.approx(0.05)
    assert distribution.quantile(50.0) == pytest.approx(0.35)
    assert distribution.quantile(100.0) == pytest.approx(0.65)


def test_a_prompt_that_comes_a_hundred_times_weighs_a_hundred() -> None:
    distribution = LengthDistribution.of([10.0, 20.0, 30.0], [100, 50, 50])
    assert [distribution.quantile(one) for one in (10.0, 20.0, 30.0)] == pytest.approx([0.25, 0.625, 0.875])
    assert distribution.quantile(distribution.median_tokens) == pytest.approx(0.5)
    often = LengthDistribution.of([10.0] * 100 + [20.0] * 50 + [30.0] * 50)
    assert often == distribution


def test_more_lengths_than_knots_hardly_move_a_place() -> None:
    rng = np.random.default_rng(0)
    tokens, occurrences = rng.lognormal(4, 1, 5000), np.where(np.arange(5000) == 17, 2500, 1)
    distribution = LengthDistribution.of(tokens, occurrences)
    assert len(distribution.tokens) <= 256
    places = np.array([distribution.quantile(one) for one in tokens])
    assert np.average(places, weights=occurrences) == pytest.approx(0.5, abs=0.001)
    mass, order = occurrences / occurrences.sum(), np.argsort(tokens)
    expected = np.empty(5000)
    expected[order] = np.cumsum(mass[order]) - mass[order] / 2
    assert np.abs(places - expected).max() < 2 / 256
    assert places[17] == pytest.approx(expected[17])


@pytest.mark.parametrize("shares", [(0.5,), (0.5, 0.5), (0.0, 0.5), (0.5, 1.0), (0.6, 0.4)])
def test_shares_that_do_not_increase_inside_0_and_1_are_refused(shares: tuple[float, ...]) -> None:
    with pytest.raises(ValidationError, match="inside"):
        LengthDistribution(tokens=(2.0, 10.0), shares=shares)


def test_distribution_of_nothing_is_refused() -> None:
    with pytest.raises(ValidationError):
        LengthDistribution(tokens=())


def test_lengths_of_one_band_share_a_place_and_those_of_others_do_not() -> None:
    distribution = LengthDistribution(tokens=(2.0, 10.0, 30.0), band_log_tokens=0.5)
    one_band = [exp(2.0 + offset) for offset in (-0.24, 0.0, 0.24)]
    assert len({distribution.quantile(tokens) for tokens in one_band}) == 1
    assert distribution.quantile(exp(1.7)) < distribution.quantile(exp(2.0)) < distribution.quantile(exp(2.3))


@given(st.floats(0, 40), st.lists(st.floats(1e-12, 1e12), min_size=2, max_size=20))
def test_quantiles_stay_in_order_whatever_the_band(band: float, tokens: list[float]) -> None:
    distribution = LengthDistribution(tokens=(2.0, 10.0, 30.0), band_log_tokens=band)
    quantiles = [distribution.quantile(one) for one in sorted(tokens)]
    assert all(0 <= quantile <= 1 for quantile in quantiles)
    assert all(sooner <= later for sooner, later in pairwise(quantiles))


def test_a_distribution_from_before_there_were_bands_tells_all_lengths_apart() -> None:
    old = LengthDistribution.model_validate_json('{"tokens": [2.0, 10.0, 30.0]}')
    assert old.band_log_tokens == 0
    assert old.quantile(9.0) < old.quantile(9.01)


def test_a_band_of_negative_width_is_refused() -> None:
    with pytest.raises(ValidationError):
        LengthDistribution(tokens=(2.0,), band_log_tokens=-0.1)


SHORT = LengthDistribution.of(np.geomspace(1, 100, 50))
TEN_TIMES_AS_LONG = LengthDistribution.of(np.geomspace(10, 1000, 50))


@pytest.mark.parametrize("tokens", [0.01, 3.0, 10.0, 1e6])
def test_mixture_of_one_is_that_one(tokens: float) -> None:
    alone = Mixture((SHORT,))
    assert alone.quantile(tokens) == SHORT.quantile(tokens)
    assert alone.median_tokens == SHORT.median_tokens


def test_mixture_is_the_distribution_of_all_lengths_together() -> None:
    mixture = Mixture((SHORT, TEN_TIMES_AS_LONG))
    together = LengthDistribution.of([*SHORT.tokens, *TEN_TIMES_AS_LONG.tokens])
    for tokens in (2.0, 30.0, 300.0):
        assert mixture.quantile(tokens) == pytest.approx(together.quantile(tokens), abs=0.01)
    assert mixture.median_tokens == pytest.approx(together.median_tokens, rel=0.05)
    assert mixture.quantile(mixture.median_tokens) == pytest.approx(0.5)


@given(st.lists(st.floats(1e-3, 1e7), min_size=2, max_size=20, unique=True))
def test_longer_prediction_has_the_higher_quantile_in_a_mixture_too(tokens: list[float]) -> None:
    quantiles = [Mixture((SHORT, TEN_TIMES_AS_LONG)).quantile(one) for one in sorted(tokens)]
    assert all(0 < quantile < 1 for quantile in quantiles)
    assert all(sooner <= later for sooner, later in pairwise(quantiles))


@pytest.mark.parametrize("shares", [None, (0.2, 0.7)])
def test_distributions_that_were_used_are_compared_by_what_they_say(shares: tuple[float, ...] | None) -> None:
    used = LengthDistribution(tokens=(1.0, 2.0), shares=shares)
    again, other = used.model_copy(), LengthDistribution(tokens=(1.0, 3.0), shares=shares)
    for one in (used, again, other):
        one.quantile(1.5)
    assert used == again != other


@pytest.mark.parametrize("band", [0.0, 0.5])
@given(st.lists(st.floats(1e-3, 1e7), max_size=20))
def test_places_of_many_are_those_of_each(band: float, tokens: list[float]) -> None:
    distribution = LengthDistribution(tokens=(2.0, 10.0, 30.0), shares=(0.2, 0.3, 0.9), band_log_tokens=band)
    expected = [distribution.quantile(one) for one in tokens]
    assert distribution.quantiles(np.array(tokens)).tolist() == expected
