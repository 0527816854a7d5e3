"""Policies beside each other at each load."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.report.comparison import at_load, compare, onset
from benchmarks.report.summary import RATIO
from registry.errors import InvalidInput
from tests.benchmarks.queueing import queued

LOADS = (np.nan, 0.2, 1.5)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return compare(queued(LOADS))


def test_every_load_has_a_row_for_each_policy(table: pd.DataFrame) -> None:
    assert table.policy.tolist() == ["fcfs", "control", "pars", "oracle"] * 3
    assert table.load.fillna(-1).drop_duplicates().tolist() == [-1, 0.2, 1.5]
    assert len(at_load(table, np.nan)) == len(at_load(table, 1.5)) == 4


def test_intervals_hold_their_figures(table: pd.DataFrame) -> None:
    for name in ("s_per_token", RATIO, "s_per_token_p90"):
        assert (table[f"{name}_low"] <= table[name] * 1.001).all()
        assert (table[f"{name}_high"] >= table[name] * 0.999).all()
    fcfs = table[table.policy == "fcfs"]
    assert (fcfs[f"{RATIO}_low"] == 1).all()
    assert (fcfs[f"{RATIO}_high"] == 1).all()


def test_the_same_answers_give_the_same_intervals() -> None:
    pd.testing.assert_frame_equal(compare(queued(requests=50)), compare(queued(requests=50)))


def test_ordering_matters_from_overload_on(table: pd.DataFrame) -> None:
    assert onset(table, "pars") == 1.5
    assert onset(table, "fcfs") is None


def test_a_load_that_matters_below_one_that_does_not_is_no_onset() -> None:
    rows = pd.DataFrame({"policy": "pars", "load": [0.5, 1.0, 1.5], f"{RATIO}_low": [2.0, 1.05, 3.0]})
    assert onset(rows, "pars") == 1.5
    assert onset(rows.iloc[:2], "pars") is None


def test_without_fcfs_there_is_no_ratio() -> None:
    table = compare(queued(requests=50, policies=("endpoint",)))
    assert table[[RATIO, f"{RATIO}_low"]].isna().all(axis=None)
    assert table.s_per_token_low.notna().all()


def test_policies_with_unequal_requests_are_refused() -> None:
    with pytest.raises(InvalidInput, match="on the same requests"):
        compare(queued(requests=50).iloc[1:])


def test_missing_column_is_named() -> None:
    with pytest.raises(InvalidInput, match="no 'ttft_s'"):
        compare(queued(requests=50).drop(columns="ttft_s"))


def test_replaying_the_same_requests_again_makes_nothing_surer() -> None:
    once = queued(requests=100, repeats=1)
    again = [once.iloc[::-1] if repeat % 2 else once for repeat in range(8)]  # as a replay sends them
    often = pd.concat([one.assign(repeat=repeat) for repeat, one in enumerate(again)], ignore_index=True)
    bounds = [f"s_per_token_{end}" for end in ("low", "high")]
    pd.testing.assert_frame_equal(compare(often)[bounds].round(9), compare(once)[bounds].round(9))
