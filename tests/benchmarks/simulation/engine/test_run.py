"""Simulated runs, from traffic to answers."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.answers import check_answers
from benchmarks.policies.places import places
from benchmarks.report.summary import summarise
from benchmarks.simulation.engine import run as runs
from benchmarks.simulation.engine.engine_settings import EngineSettings
from benchmarks.simulation.engine.order import Order
from benchmarks.simulation.engine.run import Run, simulate_all, simulate_run
from serving.work.step_cost import StepCost
from traffic.batch import Traffic

LENGTHS = np.random.default_rng(0).geometric(0.02, 300)
TRAFFIC = Traffic(arrival_s=np.zeros(300), prompt_tokens=np.full(300, 9), output_tokens=LENGTHS)
COST = StepCost(fixed_s=0.02, per_token_s=1e-4, per_sequence_s=1e-3)


def of(policy: str, quantiles: np.ndarray | None) -> Run:
    engine = EngineSettings(max_num_seqs=16, max_model_len=4096)
    return Run(traffic=TRAFFIC, order=Order(quantiles=quantiles), engine=engine, cost=COST, policy=policy)


RUNS = [of("fcfs", None), of("oracle", places(LENGTHS)), of("control", places(np.arange(300) * 7 % 300))]


def test_oracle_gains_and_an_order_that_knows_nothing_does_not() -> None:
    table = summarise(pd.concat(simulate_all(RUNS)))
    assert table.fcfs_over_policy["oracle"] > 2
    assert 0.8 < table.fcfs_over_policy["control"] < 1.2


def test_answers_are_whole_and_the_same_every_time() -> None:
    first, second = simulate_run(RUNS[1]), simulate_run(RUNS[1])
    pd.testing.assert_frame_equal(check_answers(first), second)
    assert first.notna().drop(columns="load").all(axis=None)
    assert set(first.placed_by) == {"known"}
    assert (first.ttft_s <= first.e2e_s).all()
    assert first.output_tokens.tolist() == LENGTHS.tolist()


def test_answers_say_what_a_full_kv_cache_did_to_each_request() -> None:
    roomy = simulate_run(RUNS[0])
    scarce = simulate_run(replace(RUNS[0], engine=replace(RUNS[0].engine, kv_cache_tokens=1024)))
    assert (roomy.preemptions.sum(), roomy.recomputed_tokens.sum()) == (0, 0)
    assert scarce.preemptions.sum() > 0
    assert ((scarce.recomputed_tokens > 0) == (scarce.preemptions > 0)).all()


def test_processes_bring_the_same_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = simulate_all(RUNS[:2])
    monkeypatch.setattr(runs, "WORTH_A_PROCESS", 0)
    for one, other in zip(alone, simulate_all(RUNS[:2], processes=2), strict=True):
        pd.testing.assert_frame_equal(one, other)
