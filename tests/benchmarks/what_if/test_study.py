"""What is tried, and what it says."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.policies.places import noisy_quantiles, places, shuffled_places
from benchmarks.simulation.run import simulate_all
from benchmarks.what_if.advice import advise, gain_of_ranking, share_that_waits
from benchmarks.what_if.config import WhatIfConfig
from benchmarks.what_if.setting_charts import setting_charts
from benchmarks.what_if.study import (
    PlacedTraffic,
    Simulate,
    Studied,
    affordable_requests,
    affordable_window,
    busiest_window,
    study,
)
from tests.benchmarks.what_if.conftest import COST, SERVERS, served_rows, simulate, write_log
from traffic.served_log import read_served_log


def config(log: Path, **changes: object) -> WhatIfConfig:
    return WhatIfConfig(**({"log": log, "max_num_seqs": SERVERS, "sweep_requests": 300} | changes))  # type: ignore[arg-type]


def studied(own: WhatIfConfig, simulate: Simulate = simulate) -> Studied:
    log = read_served_log(own)
    pars = noisy_quantiles(log.output_tokens, own.tau, own.seed)
    control = shuffled_places(log.output_tokens, own.seed)
    known = {"fcfs": None, "control": control, "pars": pars, "oracle": places(log.output_tokens)}
    return study(own, COST, PlacedTraffic(log, known), simulate)


def test_busiest_window_is_the_shortest_in_time() -> None:
    assert busiest_window(np.array([0.0, 5.0, 6.0, 6.5, 20.0]), 3) == (1, 4)
    assert busiest_window(np.array([0.0, 5.0]), 3) == (0, 2)


def test_log_and_every_load_have_all_four_orders(busy_log: Path) -> None:
    found = studied(config(busy_log, loads=(0.5, 1.5)))
    sizes = found.answers.groupby(["study", "load", "policy"], dropna=False).size()
    assert set(sizes["log"]) == {600}
    assert len(sizes["log"]) == 4
    assert set(sizes["load"]) == {300}
    assert set(sizes["load"].index.get_level_values("load")) >= {0.5, 1.5}
    assert found.log_load == pytest.approx(1.3, rel=0.15)


def test_better_rankers_and_more_sequences_take_less_time(busy_log: Path) -> None:
    settings = studied(config(busy_log)).settings
    by = {study: one.sort_values("value") for study, one in settings[settings.policy == "pars"].groupby("study")}
    assert by["tau"].s_per_token.iloc[0] > 2 * by["tau"].s_per_token.iloc[-1]
    assert by["max_num_seqs"].value.tolist() == [4, 8, 16]
    assert by["max_num_seqs"].s_per_token.is_monotonic_decreasing
    assert by["patience_s"].s_per_token.iloc[0] > by["patience_s"].s_per_token.iloc[-1]


def test_the_same_seed_gives_the_same_table(busy_log: Path) -> None:
    pd.testing.assert_frame_equal(studied(config(busy_log)).settings, studied(config(busy_log)).settings)


def test_busy_log_is_told_that_ordering_pays(busy_log: Path) -> None:
    own = config(busy_log)
    found = studied(own)
    advice = advise(own, found, own.tau)
    assert advice[0].startswith("Ordering pays on this log as it is")
    assert advice[1].startswith("Spend on ")
    assert len(advice) == 5
    assert "Without any ordering max_num_seqs 16 instead of 8 would take" in advice[4]
    assert 0 < gain_of_ranking(found, 0.6) < gain_of_ranking(found, 0.6, 0.4) < 1


def test_idle_log_is_told_that_nothing_waits(idle_log: Path) -> None:
    own = config(idle_log)
    found = studied(own)
    assert "hardly anything waits" in advise(own, found, own.tau)[0]
    assert found.log_load == pytest.approx(0.1, rel=0.3)
    assert found.sweep_load >= 0.5


def test_busy_log_of_equal_answers_is_told_that_they_wait_all_the_same(tmp_path: Path) -> None:
    own = config(write_log(tmp_path / "equal.jsonl", [row | {"output_tokens": 90} for row in served_rows(600, 1.3)]))
    found = studied(own)
    assert share_that_waits(found, SERVERS) > 0.5
    said = advise(own, found, own.tau)[0]
    assert "requests wait, but ordering brings little" in said
    assert "much the same length" in said
    assert "hardly anything waits" not in said


def test_busy_log_with_a_ranker_that_knows_nothing_is_told_so(busy_log: Path) -> None:
    own = config(busy_log)
    found = studied(own)
    answers = found.answers[found.answers.policy != "pars"]
    blind = answers[answers.policy == "fcfs"].assign(policy="pars")
    found = replace(found, answers=pd.concat([answers, blind], ignore_index=True))
    said = advise(own, found, own.tau)[0]
    assert "PARS orders them too badly for a gain (a factor of 1)" in said
    assert "a better ranker" in said


@pytest.mark.parametrize(("others", "share"), [(2, 0.0), (3, 0.25), (4, 0.5)])
def test_a_request_waits_if_it_finds_as_many_as_the_engine_works_on(others: int, share: float) -> None:
    rows = pd.DataFrame({"sent_s": [0.0, 0.0, 0.0, 0.0], "e2e_s": 1.0, "study": "log", "policy": "fcfs"})
    rows.loc[others:, "sent_s"] = 1.0  # those find the first ones gone
    found = Studied(rows, pd.DataFrame(), 1.0, 0.5, 1.0, 4)
    assert share_that_waits(found, max_num_seqs=2) == share


def test_where_sequences_abound_nothing_is_worth_its_money(idle_log: Path) -> None:
    own = config(idle_log, max_num_seqs=500, loads=(0.1,))
    assert advise(own, studied(own), own.tau)[1].startswith("Spend on neither")


def test_log_that_came_all_at_once_is_a_burst(tmp_path: Path) -> None:
    log = tmp_path / "burst.jsonl"
    rows = [{"arrival_s": 5, "prompt_tokens": 3, "output_tokens": i % 50 + 1} for i in range(100)]
    log.write_text("\n".join(json.dumps(row) for row in rows))
    own = config(log, loads=(1.2,))
    found = studied(own)
    assert np.isnan(found.log_load)
    assert found.answers.load.isna().sum() == 400
    assert "all at once" in advise(own, found, own.tau)[0]


def test_each_setting_has_its_charts_with_fcfs_beside_it(busy_log: Path) -> None:
    charts = setting_charts(studied(config(busy_log)))
    assert len(charts) == 6
    assert all({"FCFS", "PARS"} == {line.label for line in chart.lines} for chart in charts)


def test_long_answers_are_simulated_for_fewer_requests(busy_log: Path) -> None:
    own = config(busy_log)
    log = read_served_log(own)
    assert (affordable_requests(own, log), affordable_window(own, log)) == (600, 300)
    mean = log.output_tokens.mean()
    scarce = config(busy_log, max_simulated_tokens=int(2 * 4 * 200 * mean))
    assert 150 < affordable_requests(scarce, log) < 250
    assert affordable_window(scarce, log) == 100


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
    assert np.isfinite(found.capacity_per_s)
