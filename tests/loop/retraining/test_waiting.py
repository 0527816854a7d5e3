"""`loop/retraining/waiting.py`: whether a retraining is due."""

from typing import Any

import numpy as np
import pytest

from loop.retraining.config import RetrainConfig
from loop.retraining.earlier import NOBODY, Past, Retrained
from loop.retraining.idle import Idle
from loop.retraining.stretch import Stretch
from loop.retraining.waiting import require_due
from tests.loop.retraining.served_days import NOON_S

STRETCH = Stretch(NOON_S + np.arange(1000.0), NOON_S + 800, "the newest 1,000 answers of the journal", "abc", None)


def past(champion: int | None = 3, **changes: Any) -> Past:
    """Version 3 is the champion, and version 4 was refused beside it."""
    of = {"number": 4, "digest": "abc", "until_s": NOON_S, "champion": "3", "gate": "refused", "is_settled": True}
    return Past("pars-any", champion, (Retrained(**{**of, **changes}),))


def why_not(found: Past, **changes: Any) -> str | None:
    try:
        require_due(RetrainConfig(target_llm="any", **changes), STRETCH, found)
    except Idle as idle:
        return str(idle)
    return None


def test_what_was_judged_beside_this_champion_is_not_judged_again() -> None:
    assert "are those of version 4, which was refused beside champion 3" in (why_not(past()) or "")
    first = Past("pars-any", None, (Retrained(4, "abc", NOON_S, NOBODY, "refused", True),))
    assert "which was refused beside no champion" in (why_not(first) or "")


def test_what_became_the_champion_is_not_trained_again() -> None:
    assert "are those of version 4, which was promoted" in (why_not(past(champion=4, gate="promoted")) or "")


def test_beside_another_champion_it_is_due() -> None:
    assert why_not(past(champion=2)) is None


def test_what_a_kill_has_left_unjudged_is_due() -> None:
    assert why_not(past(gate=None, is_settled=False, until_s=NOON_S + 999)) is None


@pytest.mark.parametrize(("num_new", "is_due"), [(499, False), (500, True)])
def test_enough_answers_must_be_new(num_new: int, is_due: bool) -> None:
    said = why_not(past(digest="other", until_s=NOON_S + 999 - num_new))
    assert (said is None) == is_due
    assert is_due or "499 of the newest 1,000 answers of the journal are new since" in (said or "")
    assert is_due or "min_new=500 are needed: 1 more" in (said or "")


def test_what_a_kill_has_left_promoted_but_not_served_is_due() -> None:
    assert why_not(past(gate="promoted", is_settled=False)) is None


def test_an_unjudged_version_has_not_used_the_answers_up() -> None:
    assert why_not(past(digest="other", gate=None, is_settled=False, until_s=NOON_S + 999)) is None


def test_the_first_one_needs_as_many() -> None:
    assert why_not(Past("pars-any", None, ())) is None
    assert "1 more" in (why_not(Past("pars-any", None, ()), min_new=1001) or "")


def test_again_asks_nothing() -> None:
    assert why_not(past(), again=True) is None
    assert why_not(Past("pars-any", None, ()), min_new=1001, again=True) is None


def test_nobody_is_no_version() -> None:
    assert not NOBODY.isdecimal()
