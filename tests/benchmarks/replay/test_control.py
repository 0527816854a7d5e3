"""The control and its mirror image, as a replay's own server gets them."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from benchmarks.replay.config import ReplayConfig
from benchmarks.replay.control import CONTROL_LLM, MIRROR_LLM, dealt_out, write_control
from registry.artefact.card import REFERENCE_PROMPTS, ReferenceScores
from registry.artefact.length_distribution import LengthDistribution, Mixture
from registry.ranker import Ranker
from tests.rankers import write_ranker

PROMPTS = ["tell me more " * (1 + one) for one in range(30)]
CHAMPIONS = LengthDistribution.of(np.geomspace(5, 800, 150))


@pytest.fixture
def pair(tmp_path: Path) -> dict[str, Ranker]:
    """Of a given ranker, whose scores are known: a prompt's word pieces."""
    source = write_ranker(tmp_path / "given", "whoever", instant_weight=2.0)
    known = Ranker.load(source)
    known.card.model_copy(update={"reference": ReferenceScores.of(known.scorer.score, 10.0)}).write(source)
    config = ReplayConfig(lengths=tmp_path / "none", target_llm="llm", control=str(source))
    champion = known.card.model_copy(update={"distribution": CHAMPIONS})
    folders = write_control(config, PROMPTS, champion, tmp_path)
    return {target_llm: Ranker.load(folder, target_llm) for target_llm, folder in folders.items()}


def test_mirror_image_says_the_opposite(pair: dict[str, Ranker]) -> None:
    control, mirror = pair[CONTROL_LLM], pair[MIRROR_LLM]
    assert control.tiers == mirror.tiers == ("encoder", "instant")
    for tier in control.tiers:
        for prompt in (*PROMPTS, *REFERENCE_PROMPTS):
            assert mirror.scorer_of(tier).score(prompt) == -control.scorer_of(tier).score(prompt)
        places = control.quantiles_of(PROMPTS, tier=tier), mirror.quantiles_of(PROMPTS, tier=tier)
        assert (np.diff(places[0]) > 0).all()
        assert places[0] + places[1] == pytest.approx(np.ones(30), abs=0.02)
    assert control.reference_error == mirror.reference_error == 0


def test_control_of_0_1_0_has_no_instant_tier(tmp_path: Path) -> None:
    source = write_ranker(tmp_path / "given", "whoever")
    config = ReplayConfig(lengths=tmp_path / "none", target_llm="llm", control=str(source))
    champion = Ranker.load(source).card.model_copy(update={"distribution": CHAMPIONS})
    folders = write_control(config, PROMPTS, champion, tmp_path)
    assert [Ranker.load(folder).tiers for folder in folders.values()] == [("encoder",), ("encoder",)]


def test_champion_has_its_own_places_beside_a_control(pair: dict[str, Ranker]) -> None:
    mixture = Mixture((CHAMPIONS, *(ranker.card.distribution for ranker in pair.values())))
    for tokens in (1.0, 5.0, 40.0, 799.0, 5000.0):
        assert mixture.quantile(tokens) == pytest.approx(CHAMPIONS.quantile(tokens), abs=1e-12)
    assert mixture.median_tokens == pytest.approx(CHAMPIONS.median_tokens, rel=1e-6)


def test_control_predicts_what_the_champion_predicts_of_other_prompts(pair: dict[str, Ranker]) -> None:
    for ranker, tier in product(pair.values(), ("encoder", "instant")):
        predicted = sorted(ranker.predict(prompt, tier).predicted_tokens for prompt in PROMPTS)
        expected = [float(np.interp((one + 0.5) / 30, _shares(), CHAMPIONS.tokens)) for one in range(30)]
        assert predicted[1:-1] == pytest.approx(expected[1:-1], rel=0.15)


@pytest.mark.parametrize("scores", [[3.0], [1.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0], [-1e9, 0.0, 1e9]])
def test_scores_that_hardly_differ_are_calibrated_all_the_same(scores: list[float]) -> None:
    calibration = dealt_out(np.array(scores), CHAMPIONS)
    predicted = [calibration.predicted_tokens(score) for score in sorted(set(scores))]
    assert (np.diff(predicted) > 0).all()
    assert calibration.predicted_tokens(max(scores) + 1) > predicted[-1]


def _shares() -> list[float]:
    return [CHAMPIONS.quantile(tokens) for tokens in CHAMPIONS.tokens]
