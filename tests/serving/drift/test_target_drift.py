"""When there is an alarm, and until when. How often and how soon: `alarm_rates.py` measures it at length."""

import numpy as np
import pytest

from serving.drift.detectors import BLOCK_ANSWERS
from serving.drift.target_drift import QUIET_BLOCKS, TargetDrift
from serving.drift.watched_answer import Reference, WatchedAnswer
from tests.serving.drift.planted_answers import LENGTHS, answers, first_alarm, planted, reference

TAU = 0.65


def quiet(seed: int, count: int, name: str = "chats, spread 0.9") -> list[WatchedAnswer]:
    return answers(*planted(TAU, count, np.random.default_rng(seed), LENGTHS[name]))


def fallen(seed: int, count: int, name: str = "chats, spread 0.9") -> list[WatchedAnswer]:
    return answers(*planted(TAU - 0.15, count, np.random.default_rng(seed), LENGTHS[name]))


@pytest.mark.parametrize("name", LENGTHS)
@pytest.mark.parametrize("before", [0, 1500])
def test_fall_of_tau_by_015_is_found_within_500_answers(name: str, before: int) -> None:
    drift = TargetDrift(reference(TAU, LENGTHS[name]))
    assert first_alarm(drift, quiet(1, before, name)) is None
    assert first_alarm(drift, fallen(2, 500, name)) is not None
    assert "kendall_tau_b" in drift.alarms or "static_gain" in drift.alarms


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", LENGTHS)
def test_there_is_no_alarm_while_answers_are_as_the_card_says(name: str, seed: int) -> None:
    assert first_alarm(TargetDrift(reference(TAU, LENGTHS[name])), quiet(seed, 3000, name)) is None


def test_live_level_that_is_a_little_below_the_card_is_no_drift_and_a_fall_from_it_is() -> None:
    drift = TargetDrift(reference(TAU + 0.03))
    assert first_alarm(drift, quiet(5, 4000)) is None
    assert first_alarm(drift, fallen(6, 600)) is not None


def test_answers_that_are_half_as_long_again_are_found_though_their_order_holds() -> None:
    drift = TargetDrift(reference(TAU))
    longer = [one._replace(output_tokens=1.6 * one.output_tokens) for one in quiet(1, 500)]
    assert first_alarm(drift, longer) is not None
    assert set(drift.alarms) == {"calibration"}


def test_cut_answers_hide_no_drift_and_make_none() -> None:
    def cut(heard: list[WatchedAnswer]) -> list[WatchedAnswer]:
        return [
            one._replace(output_tokens=min(one.output_tokens, 250), is_censored=one.output_tokens > 250)
            for one in heard
        ]

    drift = TargetDrift(reference(TAU))
    assert first_alarm(drift, cut(quiet(3, 3000))) is None
    assert first_alarm(drift, cut(fallen(4, 600))) is not None


def test_alarm_stands_until_1000_answers_were_as_they_should() -> None:
    drift = TargetDrift(reference(TAU))
    assert first_alarm(drift, fallen(2, 500)) is not None
    for answer in fallen(3, 2000):
        drift.add(answer)
        assert drift.alarms, "while nothing changes it stands"
    since_s = {watched: alarm.since_s for watched, alarm in drift.alarms.items()}
    for answer in quiet(4, BLOCK_ANSWERS * (QUIET_BLOCKS - 1)):
        drift.add(answer)
    assert {watched: alarm.since_s for watched, alarm in drift.alarms.items()}.items() <= since_s.items()
    for answer in quiet(5, BLOCK_ANSWERS * (QUIET_BLOCKS + 2)):
        drift.add(answer)
    assert not drift.alarms


def test_what_the_card_says_is_of_the_tiers_that_placed_the_answers() -> None:
    metrics = {"kendall_tau_b": 0.7, "instant_kendall_tau_b": 0.5}
    card = Reference(metrics, reference(TAU).distribution)
    assert card.expected("kendall_tau_b", ["encoder", "instant"]) == pytest.approx(0.6)
    assert card.expected("static_gain", ["encoder"]) is None, "a ranker of 0.1.0 has no such metric"
    drift = TargetDrift(card)
    for answer in quiet(1, 100):
        drift.add(answer._replace(tier="instant"))
    assert drift.expected == {"kendall_tau_b": pytest.approx(0.5), "calibration": 1.0}


def test_answers_that_cannot_be_told_apart_are_no_drift() -> None:
    drift = TargetDrift(reference(TAU))
    assert first_alarm(drift, [WatchedAnswer(10.0, 7.0, True)] * 1000) is None
