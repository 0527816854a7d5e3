"""What is tried, and what it says."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.answers import ALONE
from benchmarks.capacity import steady_requests_per_s
from benchmarks.simulation.engine.run import simulate_all
from benchmarks.what_if.advice import advise, gain_of_sequences
from benchmarks.what_if.config import WhatIfConfig
from benchmarks.what_if.placed import order_of_tau, placed
from benchmarks.what_if.placed_runs import ALONE_REQUESTS, Simulate
from benchmarks.what_if.setting_charts import setting_charts
from benchmarks.what_if.stretches import affordable_requests, capacity_run, choose
from benchmarks.what_if.study import Studied, study, waiting_share
from tests.benchmarks.what_if.conftest import COST, SERVERS, served_rows, simulate, write_log
from traffic.served_log import read_long_log


def config(log: Path, **changes: object) -> WhatIfConfig:
    sized = {"max_num_seqs": SERVERS, "sweep_requests": 300, "kv_cache_tokens": 10**6}
    return WhatIfConfig(**({"log": log} | sized | changes))  # type: ignore[arg-type]


def studied(own: WhatIfConfig, simulate: Simulate = simulate) -> Studied:
    log = read_long_log(own).traffic
    (burst,) = simulate([capacity_run(own, COST, log)])
    stretches = choose(own, COST, log, steady_requests_per_s(burst))
    pars = order_of_tau(own, COST, log, own.tau)
    return study(own, COST, placed(own, COST, log, pars), stretches, simulate)


@pytest.fixture
def own_cost(tmp_path: Path) -> str:
    """A file, as measure-engine writes it."""
    return str(COST.write(tmp_path))


def test_log_and_every_load_have_all_four_orders(busy_log: Path) -> None:
    found = studied(config(busy_log, loads=(0.5, 1.5)))
    sizes = found.answers.groupby(["study", "load", "policy"], dropna=False).size()
    assert set(sizes["log"]) == {600}
    assert len(sizes["log"]) == 4
    assert set(sizes["load"].drop(ALONE)) == {300}
    assert set(sizes["load"][ALONE]) == {ALONE_REQUESTS}
    assert set(sizes["load"].index.get_level_values("load")) >= {0.5, 1.5}
    assert found.stretches.log_load == pytest.approx(1.3, rel=0.15)


def test_better_rankers_and_more_sequences_take_less_time(busy_log: Path) -> None:
    settings = studied(config(busy_log)).settings
    by = {study: one.sort_values("value") for study, one in settings[settings.policy == "pars"].groupby("study")}
    assert by["tau"].s_per_token.iloc[0] > 2 * by["tau"].s_per_token.iloc[-1]
    assert by["max_num_seqs"].value.tolist() == [4, 8, 16]
    assert by["max_num_seqs"].s_per_token.is_monotonic_decreasing
    assert by["patience_s"].s_per_token.iloc[0] > by["patience_s"].s_per_token.iloc[-1]


def test_the_same_seed_gives_the_same_table(busy_log: Path) -> None:
    pd.testing.assert_frame_equal(studied(config(busy_log)).settings, studied(config(busy_log)).settings)


def test_busy_log_is_told_that_ordering_pays_and_what_to_spend_on(busy_log: Path, own_cost: str) -> None:
    own = config(busy_log, cost=own_cost)
    found = studied(own)
    advice = advise(own, found)
    assert advice[0].startswith("Ordering pays on this log as it is")
    assert advice[1].startswith("Ordering pays on its busiest stretch")
    assert advice[2].startswith("Spend on max_num_seqs first: it takes ")
    assert len(advice) == 6
    assert "Without any ordering max_num_seqs 16 instead of 8 would take" in advice[5]
    assert "the p99 of seconds per token after the first would go from 0.02" in advice[5]
    seqs, best = gain_of_sequences(own, found, "fcfs")
    assert seqs == 16
    assert 0 < best.low < best.share < best.high < 1


@pytest.mark.parametrize(
    ("changes", "lacking"),
    [
        ({"kv_cache_tokens": 0}, "the size of its KV cache (give kv_cache_tokens=NUMBER"),
        ({"cost": "cpu-2-cores-llama-48"}, "the step cost of your own engine (give cost=FILE"),
        ({"cost": "own.json,fixed_s=0.1"}, "the step cost of your own engine"),
    ],
)
def test_nothing_is_said_of_money_without_the_engines_own_figures(
    busy_log: Path, own_cost: str, changes: dict[str, object], lacking: str
) -> None:
    own = config(busy_log, **({"cost": own_cost} | changes))
    advice = advise(own, studied(own))
    assert not any(sentence.startswith("Spend") for sentence in advice)
    assert advice[2].startswith("What to spend on cannot be said without")
    assert lacking in advice[2]


def test_more_sequences_are_not_offered_where_nobody_knows_the_kv_cache(busy_log: Path) -> None:
    own = config(busy_log, kv_cache_tokens=0)
    found = studied(own)
    assert max(value for name, value, _ in found.of_settings if name == "max_num_seqs") == SERVERS
    assert "More of them were not tried, since kv_cache_tokens is not known." in advise(own, found)[5]


def test_idle_log_is_told_that_nothing_waits_and_nothing_else(idle_log: Path, own_cost: str) -> None:
    own = config(idle_log, cost=own_cost)
    found = studied(own)
    advice = advise(own, found)
    assert all("hardly anything waits, so ordering brings nothing" in sentence for sentence in advice[:2])
    assert advice[2].startswith("It would begin to bring something at 1 × capacity")
    assert len(advice) == 3
    assert not found.of_settings
    assert found.stretches.log_load == pytest.approx(0.1, rel=0.3)


def test_busy_log_of_equal_answers_is_told_that_they_wait_all_the_same(tmp_path: Path) -> None:
    own = config(write_log(tmp_path / "equal.jsonl", [row | {"output_tokens": 90} for row in served_rows(600, 1.3)]))
    found = studied(own)
    assert waiting_share(found.of_log) > 0.5
    said = advise(own, found)[0]
    assert "% of the requests find the engine full, but ordering brings no gain that is sure" in said
    assert "much the same length" in said
    assert "hardly anything waits" not in said


def test_busy_log_with_a_ranker_that_knows_nothing_is_told_so(busy_log: Path) -> None:
    own = config(busy_log)
    found = studied(own)
    answers = found.answers[found.answers.policy != "pars"]
    blind = answers[answers.policy == "fcfs"].assign(policy="pars")
    found = replace(found, answers=pd.concat([answers, blind], ignore_index=True))
    said = advise(own, found)[0]
    assert "PARS orders them too badly for a gain" in said
    assert "a better ranker" in said


@pytest.mark.parametrize(("kv_cache_tokens", "waiting"), [(0, 0.0), (10**6, 0.0), (300, 1.0)])
def test_request_waits_also_where_the_kv_cache_is_what_is_full(
    tmp_path: Path, kv_cache_tokens: int, waiting: float
) -> None:
    rows = [{"arrival_s": at * 0.01, "prompt_tokens": 100, "output_tokens": 150} for at in range(200)]
    own = config(write_log(tmp_path / "log.jsonl", rows), max_num_seqs=1000, kv_cache_tokens=kv_cache_tokens)
    assert waiting_share(studied(own).of_log) == pytest.approx(waiting, abs=0.01)


def test_log_that_came_all_at_once_is_a_burst(tmp_path: Path) -> None:
    log = tmp_path / "burst.jsonl"
    rows = [{"arrival_s": 5, "prompt_tokens": 3, "output_tokens": i % 50 + 1} for i in range(100)]
    log.write_text("\n".join(json.dumps(row) for row in rows))
    own = config(log, loads=(1.2,))
    found = studied(own)
    assert np.isnan(found.stretches.log_load)
    assert found.answers.load.isna().sum() == 400
    assert "all at once" in advise(own, found)[0]
    sent_s = found.answers[found.answers.load == 1.2].sent_s
    assert sent_s.max() > 0, "other loads come evenly"


def test_each_setting_has_its_charts_with_fcfs_beside_it(busy_log: Path) -> None:
    charts = setting_charts(studied(config(busy_log)))
    assert len(charts) == 6
    assert all({"FCFS", "PARS"} == {line.label for line in chart.lines} for chart in charts)


def test_long_answers_are_simulated_for_fewer_requests(busy_log: Path) -> None:
    own = config(busy_log)
    log = read_long_log(own).traffic
    assert affordable_requests(own, log) == 300
    assert len(choose(own, COST, log, 1.0).counted) == 600
    scarce = config(busy_log, max_simulated_tokens=int(2 * 4 * 300 * log.output_tokens.mean()))
    assert affordable_requests(scarce, log) == 100
    stretches = choose(scarce, COST, log, 1.0)
    assert 50 < len(stretches.counted) < 300
    assert sum(one.stop - one.start for one in stretches.windows) == 300


def test_settings_of_a_case_reach_the_engine(busy_log: Path) -> None:
    """With vLLM's own scheduler."""
    log = write_log(busy_log, [json.loads(line) for line in busy_log.read_text().splitlines()[:100]])
    varied = {"sweep_requests": 100, "loads": (1.5,), "taus": (0.0, 1.0), "patiences_s": (1.0,), "seqs_factors": (4.0,)}
    found = studied(config(log, tau=1.0, **varied), simulate_all)
    mean = found.settings.set_index(["study", "value", "policy"]).s_per_token
    assert mean["tau", 1.0, "pars"] < mean["tau", 0.0, "pars"]
    assert mean["max_num_seqs", 4.0 * SERVERS, "fcfs"] < mean["max_num_seqs", 1.0 * SERVERS, "fcfs"]
    assert mean["patience_s", WhatIfConfig.patience_s, "pars"] == mean["tau", 1.0, "pars"]
    assert not found.answers.isna().drop(columns="load").any(axis=None)
    assert np.isfinite(found.stretches.capacity_per_s)


def test_log_that_cannot_fill_the_engine_is_said_to_tell_nothing_of_higher_loads(busy_log: Path) -> None:
    own = config(busy_log, max_num_seqs=512, sweep_requests=2000)
    assert advise(own, studied(own))[-2] == (
        "Of higher loads this tells little: with 600 requests, and an engine that works on max_num_seqs=512 at a time,"
        " hardly any could wait. Give the max_num_seqs of your engine, or a log of 2,048 requests and"
        " sweep_requests=2048."
    )


def test_engine_of_another_is_said_beside_every_verdict_on_nothing(busy_log: Path, own_cost: str) -> None:
    own = config(busy_log, max_num_seqs=700, sweep_requests=2000)
    assert (
        "max_num_seqs=700 at a time, at the ready-made step cost cpu-2-cores-llama-48" in advise(own, studied(own))[-1]
    )
    theirs = replace(own, cost=own_cost)
    assert "ready-made" not in "".join(advise(theirs, studied(theirs)))
