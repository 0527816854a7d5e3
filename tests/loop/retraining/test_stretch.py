"""`loop/retraining/stretch.py`: the newest requests test, and what trains came before all of them."""

from pathlib import Path

import numpy as np
import pytest

from loop.retraining.config import RetrainConfig
from loop.retraining.stretch import read_stretch, test_from
from registry.errors import InvalidInput
from tests.loop.retraining.served_days import DAY_S, NOON_S, TARGET_LLM, TOKENS, served, write_journal

test_from.__test__ = False  # type: ignore[attr-defined]  # pytest would take it for one


def starts(days: list[float], test_days: float = 1.0, at_least: int = 1) -> int:
    """How many requests train, of some that came at these days."""
    arrival_s = NOON_S + DAY_S * np.array(days)
    return int(np.searchsorted(arrival_s, test_from(arrival_s, test_days, at_least)))


def test_the_last_day_tests() -> None:
    assert starts([0, 1, 2, 3, 4, 5, 5.5, 6]) == 5


def test_a_day_on_which_most_came_leaves_its_first_four_fifths_to_the_training() -> None:
    assert starts([0.0, *(5 + 0.01 * number for number in range(99))]) == 80


def test_half_of_all_may_be_the_last_day() -> None:
    assert starts([0, 0.5, 1.7, 2.0]) == 2


def test_the_test_has_enough_requests_to_judge_by() -> None:
    days = [*np.linspace(0, 5, 95), *np.linspace(6, 6.5, 5)]
    assert starts(days) == 95
    assert starts(days, at_least=20) == 80


def test_half_of_few_requests_train_all_the_same() -> None:
    assert starts([0, 1, 2, 3], at_least=200) == 2


def test_what_trains_and_what_tests_are_told_by_their_number(tmp_path: Path) -> None:
    journal = write_journal(tmp_path, served(TOKENS, 400, NOON_S, NOON_S + 4 * DAY_S, seed=1))
    stretch = read_stretch(RetrainConfig(target_llm=TARGET_LLM, journal=journal, least_requests=10))
    assert (stretch.num_training, stretch.num_test) == (300, 100)
    assert stretch.since_s == NOON_S
    assert stretch.until_s == NOON_S + 4 * DAY_S
    assert stretch.model == TARGET_LLM
    assert stretch.num_after(stretch.test_from_s) in (99, 100)


def test_the_newest_requests_count(tmp_path: Path) -> None:
    journal = write_journal(tmp_path, served(TOKENS, 400, NOON_S, NOON_S + 20 * DAY_S, seed=1))
    assert len(read_stretch(RetrainConfig(target_llm=TARGET_LLM, journal=journal)).arrival_s) == 140
    few = RetrainConfig(target_llm=TARGET_LLM, journal=journal, max_requests=50)
    assert len(read_stretch(few).arrival_s) == 50


def test_it_must_be_known_when_requests_came(tmp_path: Path) -> None:
    log = tmp_path / "log.parquet"
    served(TOKENS, 40, NOON_S, NOON_S + DAY_S, seed=1).drop(columns="arrival_s").to_parquet(log)
    with pytest.raises(InvalidInput, match=r"40 of 40 in .* have no time in column 'arrival_s'; name it by"):
        read_stretch(RetrainConfig(target_llm=TARGET_LLM, log=log))
