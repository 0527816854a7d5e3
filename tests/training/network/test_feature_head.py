"""`training/network/feature_head.py`."""

import pytest
import torch
from torch import Tensor

from registry.request_features import FEATURES
from training.network.feature_head import FeatureHead

WIDTH = 8


def some_features(prompts: int = 50) -> Tensor:
    """All vary but the first, which is constant, and the second, which is always missing; some of the third miss."""
    torch.manual_seed(0)
    features = torch.randn(prompts, len(FEATURES)) * 3 + 7
    features[:, 0] = 4.2
    features[:, 1] = torch.nan
    features[::4, 2] = torch.nan
    return features


@pytest.fixture
def head() -> FeatureHead:
    """One whose weights are all drawn, as after a training."""
    torch.manual_seed(0)
    head = FeatureHead(WIDTH)
    for weights in head.parameters():
        torch.nn.init.normal_(weights)
    return head.fitted(some_features())


@torch.no_grad()
def added(head: FeatureHead, features: Tensor) -> list[float]:
    return head(torch.ones(len(features), WIDTH), features).tolist()


def test_a_fresh_one_adds_nothing() -> None:
    fresh = FeatureHead(WIDTH).fitted(some_features())
    assert added(fresh, some_features()) == [0.0] * 50


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("value", [-1e9, 0.0, 3.0, 1e30, torch.nan])
def test_a_feature_that_was_constant_or_missing_in_training_has_no_weight(
    head: FeatureHead, place: int, value: float
) -> None:
    features = some_features()
    features[:, place] = value
    assert added(head, features) == added(head, some_features())
    assert list(head.names) == list(FEATURES[2:])


def test_a_feature_that_is_missing_now_and_never_was_counts_as_its_mean(head: FeatureHead) -> None:
    missing, mean = some_features(), some_features()
    missing[:, 3], mean[:, 3] = torch.nan, some_features()[:, 3].mean()
    assert added(head, missing) == pytest.approx(added(head, mean), abs=1e-4)
    assert added(head, missing) != pytest.approx(added(head, some_features()), abs=1e-2)


def test_that_one_is_missing_says_something_where_training_saw_both(head: FeatureHead) -> None:
    known, missing = some_features()[1:2], some_features()[1:2]
    known[:, 2], missing[:, 2] = some_features()[:, 2].nanmean(), torch.nan
    assert added(head, missing) != pytest.approx(added(head, known), abs=1e-2)


def test_nothing_is_far_from_what_training_saw(head: FeatureHead) -> None:
    features = some_features()[:2]
    features[0, 3], features[1, 3] = 1e20, 1e30
    features[1] = torch.where(torch.arange(len(FEATURES)) == 3, features[1], features[0])
    one, other = added(head, features)
    assert one == other and abs(one) < 1e3


def test_what_was_learned_keeps_its_measure_in_a_warm_start(head: FeatureHead) -> None:
    """Of other prompts the mean and the spread are others, but the weights are of the old ones."""
    with torch.no_grad():
        head.linear.fill_(1.0)
    before = {name: one.clone() for name, one in head.state_dict().items()}
    varied = before["scale"] > 0
    rng = torch.Generator().manual_seed(1)
    head.fitted(torch.rand((50, len(FEATURES)), generator=rng) * 100 + 7)
    after = head.state_dict()
    assert torch.equal(after["scale"][varied], before["scale"][varied])
    assert torch.equal(after["centre"][varied], before["centre"][varied])
    is_new = ~varied[: len(FEATURES)]
    assert is_new.any()
    assert (after["scale"][: len(FEATURES)][is_new] > 0).all(), "what varies only now counts from now on"
    assert not after["hidden"][:, -2 * len(FEATURES) :][:, ~varied].any(), "and begins at nothing"
