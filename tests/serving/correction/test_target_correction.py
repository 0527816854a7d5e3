"""`serving/correction/target_correction.py`: whose answers move whose predictions, and how far."""

from collections.abc import Callable
from math import inf, log

import numpy as np
import pytest

from serving.correction.members import MOST_TEMPLATES, MOST_TENANTS
from serving.correction.target_correction import TargetCorrection
from serving.origin import NOBODY, Origin
from tests.serving.correction.burst_of_answers import SHARES, errors_in_a_burst
from tests.serving.correction.doubled_template import answers_until_as_before


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Answers(TargetCorrection):
    """A target LLM whose answers come at once."""

    def __init__(self) -> None:
        self.clock = Clock()
        super().__init__("digest", self.clock)

    def answer(self, origin: Origin, times: float, number: int = 1, is_whole: bool = True) -> None:
        for _ in range(number):
            self.clock.now_s += 2
            self.end(self.begin(origin, lambda: -inf), log(times), is_whole)
            if self.clock.now_s % 10 == 0:
                self.look()


def test_nothing_is_corrected_before_anything_was_answered() -> None:
    assert Answers().factor(NOBODY) == 1


def test_a_template_is_corrected_and_others_hardly_are() -> None:
    target = Answers()
    for _ in range(60):
        target.answer(Origin(template="longer"), 2)
        target.answer(Origin(template="as before"), 1)
    assert target.factor(Origin(template="longer")) == pytest.approx(1.9, abs=0.1)
    assert target.factor(Origin(template="as before")) == pytest.approx(1, abs=0.1)
    assert 1 < target.factor(Origin(template="never seen")) < 1.5


def test_a_template_whose_answers_double_is_ordered_as_before_within_fifty_answers() -> None:
    number, means = answers_until_as_before(seeds=6)
    assert number <= 50
    assert means[1] < means[0] - 0.02, "uncorrected it is not"


@pytest.mark.parametrize(("times", "bound"), [(1000, 3), (0.001, 1 / 3)])
def test_no_correction_goes_beyond_its_bound(times: float, bound: float) -> None:
    target = Answers()
    target.answer(NOBODY, times, 200)
    assert target.factor(NOBODY) == pytest.approx(bound)
    assert target.share_at_bound == 1


def test_a_cut_answer_says_that_it_would_have_become_longer() -> None:
    cut, whole = Answers(), Answers()
    cut.answer(NOBODY, 1.5, 30, is_whole=False)
    whole.answer(NOBODY, 1.5, 30)
    assert cut.factor(NOBODY) > whole.factor(NOBODY) > 1
    short = Answers()
    short.answer(NOBODY, 0.01, 30, is_whole=False)  # its client left at once: that says nothing
    assert short.factor(NOBODY) == 1


def test_answers_that_run_on_are_noticed_while_they_do() -> None:
    target, tokens = Answers(), [1.0]
    runs = [target.begin(NOBODY, lambda: log(tokens[0])) for _ in range(16)]
    before = target.factor(NOBODY)
    assert 1.5 < before < 2.5
    tokens[0] = 4.0
    assert target.factor(NOBODY) == before, "it is looked at now and then"
    target.clock.now_s += 2
    assert target.factor(NOBODY) == pytest.approx(3)
    for run in runs:
        target.end(run, log(4), is_whole=True)
    found = target.tenants.find(NOBODY)
    assert found is not None
    assert not found.running


def honest() -> Answers:
    """Four tenants whose answers are as predicted, but for the template of one."""
    target = Answers()
    for tenant in "abcd":
        target.answer(Origin(tenant, "chat"), 1, 60)
    target.answer(Origin("a", "longer"), 2.5, 60)
    target.look()
    return target


def moved(attack: Callable[[Answers], None]) -> tuple[float, float, float]:
    """By how much an attack moves an honest template, one with a factor of its own, and whoever is new."""
    before, after = honest(), honest()
    attack(after)
    after.look()
    origins = Origin("b", "chat"), Origin("a", "longer"), Origin("new", "chat")
    first, second, third = (after.factor(one) / before.factor(one) for one in origins)
    return first, second, third


def test_one_busy_tenant_moves_no_other() -> None:
    assert moved(lambda target: target.answer(Origin("greedy", "chat"), 1000, 5000)) == pytest.approx(
        (1, 1, 1), abs=0.05
    )


def test_whoever_makes_up_tenants_forgets_nobody_and_moves_nobody() -> None:
    def make_up(target: Answers) -> None:
        for number in range(3 * MOST_TENANTS):
            target.answer(Origin(f"made up {number}", "chat"), 0.01, 2)
        assert len(target.tenants) <= 2 * MOST_TENANTS

    assert moved(make_up) == pytest.approx((1, 1, 1), abs=0.02)


def test_whoever_makes_up_templates_forgets_only_his_own() -> None:
    def make_up(target: Answers) -> None:
        for number in range(10 * MOST_TEMPLATES):
            target.answer(Origin("d", f"made up {number}"), 0.01)
        assert sum(1 for _ in target.tenants.templates()) <= MOST_TEMPLATES + 4

    assert moved(make_up) == pytest.approx((1, 1, 1), abs=0.05)


def test_many_tenants_with_answers_move_only_who_has_none() -> None:
    """Keys of one's own cannot be told from customers: they move what others begin with, and hardly who is known."""

    def many(target: Answers) -> None:
        for number in range(40):
            target.answer(Origin(f"key {number}", "chat"), 0.1, 30)

    known, longer, new = moved(many)
    assert (known, longer) == pytest.approx((1, 1), abs=0.2)
    assert 1 / 3 <= new < 1


def test_training_a_template_short_gains_no_more_than_the_bound_and_is_soon_over() -> None:
    target = honest()
    gaming = Origin("gaming", "trained")
    target.answer(gaming, 0.0001, 10_000)
    assert target.factor(gaming) == pytest.approx(1 / 3)
    target.answer(gaming, 10, 30)
    target.clock.now_s += 1
    assert target.factor(gaming) > 1


def test_a_burst_moves_no_factor_by_the_order_in_which_its_answers_end() -> None:
    estimated, plain = errors_in_a_burst(seeds=20)
    assert estimated == pytest.approx([0] * len(SHARES), abs=0.17)
    assert plain[0] < -0.5


def test_with_answers_as_predicted_the_factors_stay_near_one() -> None:
    target, rng, found = Answers(), np.random.default_rng(0), []
    for _ in range(2000):
        target.answer(NOBODY, float(rng.lognormal(0, 0.7)))
        found.append(log(target.factor(NOBODY)))
    assert np.std(found[100:]) < 0.15
