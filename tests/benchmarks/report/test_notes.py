"""What a page says of the oracle's patience."""

import pandas as pd

from benchmarks.report.notes import oracle_patience


def test_oracle_is_said_to_have_everybodys_patience() -> None:
    (said,) = oracle_patience(pd.DataFrame({"policy": ["fcfs", "oracle"]}), 30.0, " here")
    assert said.startswith("Every order by places has a patience of 30 s here, the oracle too")


def test_nothing_is_said_where_no_oracle_was_run() -> None:
    assert oracle_patience(pd.DataFrame({"policy": ["fcfs", "pars"]}), 30.0) == []
