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


def test_a_pair_of_repeats_with_another_order_is_the_same_requests() -> None:
    """Whoever takes a place in the queue for a request finds ever more evidence in the same few requests."""
    rng = np.random.default_rng(0)
    tokens = np.maximum(1, rng.lognormal(4, 1, 400)).astype(int)
    s_per_token = rng.lognormal(0, 1, 400)
    widths = []
    for repeats in (2, 16):
        frames = []
        for repeat in range(repeats):
            sent = np.random.default_rng(repeat // 2).permutation(400)[:: -1 if repeat % 2 else 1]
            rows = {"request": sent, "output_tokens": tokens[sent], "e2e_s": (s_per_token * tokens)[sent]}
            frames.append(pd.DataFrame(rows).assign(repeat=repeat))
        answers = pd.concat(frames).assign(policy="fcfs", load=np.nan, sent_s=0.0, prompt_tokens=1, ttft_s=0.1)
        (row,) = compare(answers).to_dict("records")
        widths.append(row["s_per_token_high"] / row["s_per_token_low"])
    assert widths[1] == pytest.approx(widths[0], rel=0.1)
