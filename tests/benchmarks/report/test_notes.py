"""Sentences that several pages share."""

import pandas as pd

from benchmarks.report.notes import fail_opens, oracle_patience


def test_oracle_is_said_to_have_everybodys_patience() -> None:
    (said,) = oracle_patience(pd.DataFrame({"policy": ["fcfs", "oracle"]}), 30.0, " here")
    assert said.startswith("Every order by places has a patience of 30 s here, the oracle too")


def test_nothing_is_said_where_no_oracle_was_run() -> None:
    assert oracle_patience(pd.DataFrame({"policy": ["fcfs", "pars"]}), 30.0) == []


def test_each_policy_whose_ranking_came_too_late_is_named_with_its_share() -> None:
    answers = pd.DataFrame({"policy": ["fcfs", "pars", "pars"], "failed_open": [False, True, False]})
    (said,) = fail_opens(answers)
    assert said.startswith("pars: 50.0% of the requests took the median's place")
    assert fail_opens(answers.drop(columns="failed_open")) == []
