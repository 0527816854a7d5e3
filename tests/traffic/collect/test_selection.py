"""Which prompts are asked: those on which two predictions differ most, the same ones at every start."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from registry.artefact.card import InvalidRanker
from tests.rankers import TEN_TIMES_AS_LONG, write_ranker
from tests.traffic.logs import write
from traffic.collect.config import CollectConfig
from traffic.collect.disagreement import disagreements
from traffic.collect.prompt_files import read_prompts, view_of_asked
from traffic.collect.selection import chosen_places

WORDS = ["red", "blue", "green", "zebra", "black", "white", "brown", "grey", "pink"]
PROMPTS = [" ".join(WORDS[: number + 1]) for number in range(len(WORDS))]


def config_of(folder: Path, **settings: Any) -> CollectConfig:
    path = write(folder / "prompts.jsonl", [{"prompt": one} for one in PROMPTS])
    defaults: dict[str, Any] = {"choose": "disagreement", "most": 2, "out": folder / "out"}
    return CollectConfig(prompts=path, base_url="http://unused", **{**defaults, **settings})


def chosen(config: CollectConfig) -> list[str]:
    asked = read_prompts(config).asked
    return [view_of_asked(asked[place]).text for place in chosen_places(config, asked).tolist()]


def test_two_tiers_in_opposite_orders_disagree_most_at_both_ends(tmp_path: Path) -> None:
    ranker = str(write_ranker(tmp_path / "ranker", instant_weight=-1.0))
    config = config_of(tmp_path, ranker=ranker)
    assert set(chosen(config)) == {PROMPTS[0], PROMPTS[-1]}
    found = disagreements(config, read_prompts(config).asked)
    np.testing.assert_allclose(found, np.abs(np.linspace(-8, 8, 9)) / 9)


def test_two_rankers_disagree_where_their_orders_do_and_not_in_their_unit(tmp_path: Path) -> None:
    plain = str(write_ranker(tmp_path / "plain"))
    longer = str(write_ranker(tmp_path / "longer", **TEN_TIMES_AS_LONG))
    fond = str(write_ranker(tmp_path / "fond", word_weights={"zebra": -20.0}))
    alike = config_of(tmp_path, rankers=(plain, longer))
    assert not disagreements(alike, read_prompts(alike).asked).any()
    without_zebras = PROMPTS[:3]  # the shortest to one ranker, the longest to the other: six places of nine
    assert set(chosen(config_of(tmp_path, rankers=(plain, fond), most=3))) == set(without_zebras)


def test_a_choice_stays_though_the_ranker_has_changed_and_goes_on_with_more(tmp_path: Path) -> None:
    ranker = tmp_path / "ranker"
    write_ranker(ranker, instant_weight=-1.0)
    first = chosen(config_of(tmp_path, ranker=str(ranker), most=3))
    write_ranker(ranker, instant_weight=1.0)
    assert chosen(config_of(tmp_path, ranker=str(ranker), most=5))[:3] == first


def test_a_ranker_with_one_tier_cannot_disagree_with_itself(tmp_path: Path) -> None:
    with pytest.raises(InvalidRanker, match="'instant' was asked for; train it anew to have both"):
        chosen(config_of(tmp_path, ranker=str(write_ranker(tmp_path / "ranker"))))
