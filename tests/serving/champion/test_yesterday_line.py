"""What a tag says is shown; what it does not say is not known."""

from math import isnan

import pytest
from prometheus_client import REGISTRY

from serving.champion.yesterday_line import show_yesterday
from tests.serving.champion.yesterdays import SAID


def shown(name: str) -> float:
    value = REGISTRY.get_sample_value(f"pars_yesterday_{name}", {"target_llm": "llm-of-yesterday"})
    assert value is not None
    return value


def test_what_the_tag_says_is_shown() -> None:
    show_yesterday("llm-of-yesterday", SAID.model_dump_json())
    assert (shown("fcfs_ratio"), shown("fcfs_ratio_low"), shown("simulated_over_measured")) == (3.4, 3.1, 0.97)
    assert shown("day_seconds") == 1_795_651_200


def test_a_day_that_was_simulated_badly_has_no_ratio() -> None:
    show_yesterday("llm-of-yesterday", SAID.model_copy(update={"is_near": False}).model_dump_json())
    assert isnan(shown("fcfs_ratio"))
    assert isnan(shown("fcfs_ratio_low"))
    assert shown("simulated_over_measured") == 0.97


@pytest.mark.parametrize("tag", [None, "", SAID.model_dump_json()[:-5], "[1]", '{"fcfs_ratio": "NaN"}', "x" * 5000])
def test_no_tag_and_a_torn_one_are_no_day(tag: str | None) -> None:
    show_yesterday("llm-of-yesterday", SAID.model_dump_json())
    show_yesterday("llm-of-yesterday", tag)
    for name in ("fcfs_ratio", "fcfs_ratio_low", "day_seconds", "simulated_over_measured"):
        assert isnan(shown(name))
