"""A tiny network that is slow or fails: refused at load, switched off later, and never the event loop's end."""

import logging
import time
from pathlib import Path

import pytest

from registry.ranker import INSTANT_LIMIT_S, Ranker
from serving.champion.instant_tier import CALLS_COUNTED_TOGETHER, MOST_SLOW_CALLS, SLOW_CALL_S, InstantTier, try_out
from tests.rankers import write_ranker
from tests.traps import HANGS, RAISES, SLOW


@pytest.fixture
def ranker(tmp_path: Path) -> Ranker:
    return Ranker.load(write_ranker(tmp_path / "ranker", instant_weight=2.0, instant_traps=True))


class Clock:
    """Processor time, as the test says: each call reads it twice."""

    def __init__(self) -> None:
        self.now_s = self.call_s = 0.0
        self._is_end = False

    def __call__(self) -> float:
        self.now_s += self.call_s if self._is_end else 0.0
        self._is_end = not self._is_end
        return self.now_s


def test_ranker_with_a_quick_one_uses_it(ranker: Ranker, caplog: pytest.LogCaptureFixture) -> None:
    tier = try_out(ranker)
    assert tier.state == "on"
    assert tier.predict("one two three").score == 6
    assert not caplog.records


def test_ranker_of_version_0_1_0_has_none_and_that_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        tier = try_out(Ranker.load(write_ranker(tmp_path / "old")))
    assert (tier.state, tier.is_on) == ("missing", False)
    assert "no instant tier, as those of version 0.1.0: its encoder alone places requests" in caplog.text


def test_one_that_is_slow_at_load_is_refused(
    ranker: Ranker, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    score = ranker.scorer_of("instant").score
    monkeypatch.setattr(ranker.scorer_of("instant"), "score", lambda prompt: score(f"{SLOW} {prompt}"))
    tier = try_out(ranker)
    assert (tier.state, tier.is_on) == ("refused", False)
    assert "must read a prompt of 512 characters in 5 ms, but it takes" in caplog.text


@pytest.mark.parametrize(("word", "objection"), [(HANGS, "it takes "), (RAISES, "it fails (")])
def test_one_that_hangs_or_raises_at_load_is_refused(
    ranker: Ranker, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, word: str, objection: str
) -> None:
    score = ranker.scorer_of("instant").score
    monkeypatch.setattr(ranker.scorer_of("instant"), "score", lambda _: score(word))
    assert try_out(ranker).state == "refused"
    assert objection in caplog.text


def test_one_that_nothing_can_end_is_left_behind(ranker: Ranker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranker.scorer_of("instant"), "score", lambda _: time.sleep(1))
    started_s = time.monotonic()
    assert try_out(ranker, limit_s=0.1).state == "refused"
    assert time.monotonic() - started_s < 1


def test_text_on_which_it_hangs_ends_soon_and_switches_it_off(ranker: Ranker, caplog: pytest.LogCaptureFixture) -> None:
    tier = InstantTier(ranker)
    started_s = time.monotonic()
    with pytest.raises(TimeoutError):
        tier.predict(HANGS)
    assert time.monotonic() - started_s < 8 * INSTANT_LIMIT_S, "alone it would take seconds"
    assert tier.state == "switched_off"
    assert "off until the next swap" in caplog.text
    assert "glacier" not in caplog.text


def test_one_that_was_ended_only_because_the_machine_is_busy_stays_on(
    ranker: Ranker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give_up(_: str) -> float:
        raise TimeoutError

    tier = InstantTier(ranker, seconds=Clock())
    monkeypatch.setattr(ranker.scorer_of("instant"), "score", give_up)
    with pytest.raises(TimeoutError):
        tier.predict("one")
    assert tier.is_on


def test_some_slow_calls_switch_it_off_and_few_among_many_do_not(ranker: Ranker) -> None:
    clock = Clock()
    tier = InstantTier(ranker, seconds=clock)
    for _ in range(2):
        clock.call_s = 2 * SLOW_CALL_S
        for _ in range(MOST_SLOW_CALLS - 1):
            tier.predict("one")
        clock.call_s = SLOW_CALL_S / 2
        for _ in range(CALLS_COUNTED_TOGETHER):
            tier.predict("one")
    assert tier.is_on
    clock.call_s = 2 * SLOW_CALL_S
    for _ in range(2 * MOST_SLOW_CALLS):
        tier.predict("one")
    assert tier.state == "switched_off"
