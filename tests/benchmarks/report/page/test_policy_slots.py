"""How policies look in charts."""

from benchmarks.report.page.policy_slots import SLOTS, slots
from charts.looks import NUM_SLOTS


def test_known_policies_look_the_same_in_every_chart() -> None:
    assert slots(["oracle", "mine", "fcfs"])["oracle"] == slots(["fcfs", "pars", "oracle"])["oracle"] == SLOTS["oracle"]


def test_policies_of_one_chart_look_different_while_there_are_looks_enough() -> None:
    policies = ["fcfs", "pars", "oracle", "control", *"abcdef"]
    assert len(set(slots(policies).values())) == NUM_SLOTS == len(policies)
    assert slots(["fcfs", "mine"])["mine"] not in SLOTS.values(), "looks of absent policies are the last to be taken"
