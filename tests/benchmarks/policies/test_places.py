"""Places by the truth, and by rankers that do not exist."""

import numpy as np
import pytest
from scipy.stats import kendalltau

from benchmarks.policies.places import at_places, instant_quantiles, noisy_quantiles, places, shuffled_places
from registry.errors import InvalidInput

TOKENS = np.random.default_rng(0).lognormal(4, 1, 3000).astype(int) + 1


@pytest.mark.parametrize("tau_b", [0.0, 0.3, 0.6, 0.9])
def test_noise_leaves_the_tau_that_was_asked_for(tau_b: float) -> None:
    found = [kendalltau(noisy_quantiles(TOKENS, tau_b, seed), TOKENS).statistic for seed in range(3)]
    assert np.mean(found) == pytest.approx(tau_b, abs=0.02)


def test_without_noise_it_is_the_oracle() -> None:
    assert kendalltau(noisy_quantiles(TOKENS, 1.0, seed=0), TOKENS).statistic == pytest.approx(1.0)


@pytest.mark.parametrize(("tau_b", "instant_tau_b"), [(0.7, 0.67), (0.6, 0.3), (0.5, 0.0), (0.0, 0.0), (1.0, 1.0)])
def test_instant_tier_knows_as_much_as_was_asked_for_and_only_by_its_encoder(
    tau_b: float, instant_tau_b: float
) -> None:
    found, agreement = [], []
    for seed in range(3):
        encoder = noisy_quantiles(TOKENS, tau_b, seed)
        instant = instant_quantiles(encoder, tau_b, instant_tau_b, seed)
        found.append(kendalltau(instant, TOKENS).statistic)
        agreement.append(kendalltau(instant, encoder).statistic)
    assert np.mean(found) == pytest.approx(instant_tau_b, abs=0.025)
    assert np.mean(agreement) >= instant_tau_b


def test_instant_tier_that_knows_more_than_its_encoder_is_refused() -> None:
    with pytest.raises(InvalidInput, match="lower instant_tau"):
        instant_quantiles(places(TOKENS), 0.6, 0.7, seed=0)


def test_at_places_leads_back_to_the_values() -> None:
    assert at_places(places(TOKENS), TOKENS) == pytest.approx(TOKENS)


def test_control_has_the_same_places_and_knows_nothing_of_whose_they_are() -> None:
    found = shuffled_places(TOKENS, seed=0)
    assert sorted(found) == sorted(places(TOKENS))
    assert kendalltau(found, TOKENS).statistic == pytest.approx(0, abs=0.03)


def test_places_are_shared_by_equal_values() -> None:
    assert places(np.array([5, 1, 5, 9])).tolist() == [0.5, 0.125, 0.5, 0.875]


@pytest.mark.parametrize("tau_b", [-0.1, 1.1, float("nan")])
def test_tau_that_cannot_be_is_refused(tau_b: float) -> None:
    with pytest.raises(InvalidInput, match=r"in \[0, 1\]"):
        noisy_quantiles(TOKENS, tau_b, seed=0)
