"""The places that a server makes of predictions."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.policies.places import places
from benchmarks.policies.ranked import ranked
from benchmarks.policies.served_places import ServedPlaces
from registry.ranker import Ranker
from serving.work.price import TokenPrice
from tests.rankers import write_ranker

PRICE = TokenPrice(prompt_token_s=0.01, output_token_s=0.01)
PROMPTS = np.array([1, 1, 1000, 1000])
LENGTHS = np.array([10, 500, 20, 700])


def test_without_a_price_places_are_those_of_the_predicted_lengths() -> None:
    known = places(LENGTHS)
    assert ServedPlaces(prompt_tokens=PROMPTS, price=None).of_places(known, LENGTHS).tolist() == known.tolist()


def test_by_work_a_long_prompt_is_behind_a_short_one_with_a_longer_answer() -> None:
    found = ServedPlaces(prompt_tokens=PROMPTS, price=PRICE).of_places(places(LENGTHS), LENGTHS)
    assert np.argsort(found).tolist() == [0, 1, 2, 3]
    assert found == pytest.approx(places(np.array([1, 2, 3, 4])))


def test_cap_shortens_the_answer_and_leaves_the_prompt_its_work() -> None:
    caps = np.array([10, 10, 20, 20])
    served = ServedPlaces(prompt_tokens=PROMPTS, price=PRICE, cap_tokens=caps)
    found = served.of_places(places(LENGTHS), LENGTHS)
    assert found[0] == found[1] < found[2] == found[3]


def test_instant_places_stand_in_the_distribution_of_the_encoders() -> None:
    served = ServedPlaces(prompt_tokens=PROMPTS, price=PRICE)
    encoder, instant = np.array([0.1, 0.3, 0.5, 0.9]), np.array([0.9, 0.9, 0.9, 0.9])
    among = served.of_places(instant, LENGTHS, encoder)
    assert among.mean() > 0.6, "all are predicted to be long, and are behind most of what the encoder predicts"
    assert served.of_places(instant, LENGTHS).mean() == pytest.approx(0.5)


def test_mirror_image_of_a_ranker_predicts_the_opposite_lengths(tmp_path: Path) -> None:
    texts = ["tell me more " * (1 + one) for one in range(20)]
    found = ranked(Ranker.load(write_ranker(tmp_path / "ranker")), texts, "any")
    assert (np.diff(found.predicted_tokens) > 0).all()
    assert (np.diff(found.mirrored.predicted_tokens) < 0).all()
    served = ServedPlaces(prompt_tokens=np.ones(20, dtype=np.int64), price=PRICE)
    assert found.places(served) + found.mirrored.places(served) == pytest.approx(np.ones(20), abs=0.1)
