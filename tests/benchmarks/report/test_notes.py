"""Sentences that several pages share."""

import pandas as pd

from benchmarks.report.notes import oracle_patience, ordered_by, placements
from serving.work.price import TokenPrice


def test_oracle_is_said_to_have_everybodys_patience() -> None:
    (said,) = oracle_patience(pd.DataFrame({"policy": ["fcfs", "oracle"]}), 30.0, " here")
    assert said.startswith("Every order by places has a patience of 30 s here, the oracle too")


def test_nothing_is_said_where_no_oracle_was_run() -> None:
    assert oracle_patience(pd.DataFrame({"policy": ["fcfs", "pars"]}), 30.0) == []


def test_it_is_said_whose_places_requests_went_on_with() -> None:
    answers = pd.DataFrame(
        {
            "policy": ["fcfs", "pars", "pars", "pars", "pars"],
            "placed_by": ["known", "instant", "instant", "encoder", "median"],
        }
    )
    (said,) = placements(answers)
    assert said.startswith("pars: 50.0% of the requests went on with the place of the instant tier, 25.0% with the enc")
    assert "25.0% with the median's" in said
    assert placements(answers.drop(columns="placed_by")) == []


def test_it_is_said_what_orders_go_by_and_at_which_price() -> None:
    said = ordered_by("work", TokenPrice(0.001, 0.02))
    assert "order by work" in said
    assert "1 ms a token of the prompt and 20 ms a token of the predicted answer." in said
    assert "a token in context" in ordered_by("work", TokenPrice(0.001, 0.02, 1e-6))
    assert "predicted length of the answer alone" in ordered_by("length", None)
