"""How policies look in charts."""

from benchmarks.report.page.policy_slots import SLOTS, slots
from charts.looks import look


def test_known_policies_look_the_same_in_every_chart() -> None:
    assert slots(["oracle", "mine", "fcfs"])["oracle"] == slots(["fcfs", "pars", "oracle"])["oracle"] == SLOTS["oracle"]


def test_policies_of_one_chart_look_different_however_many_there_are() -> None:
    policies = ["fcfs", "pars", "oracle", "control", *"abcdefghijklmnop"]
    looks = {(look(slot).colour, look(slot).dashes) for slot in slots(policies).values()}
    assert len(looks) == len(policies)
    assert slots(["fcfs", "mine"])["mine"] not in SLOTS.values()
