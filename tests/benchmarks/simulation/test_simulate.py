"""The simulation from end to end: from a log to the tables."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from benchmarks.answers import ALONE, read_answers
from benchmarks.policies.rivals import RIVALS
from benchmarks.report.leak import leak
from benchmarks.report.summary import summarise
from benchmarks.simulation.config import SimulationConfig
from benchmarks.simulation.orders import orders_of, parse_policies, rivals_of
from benchmarks.simulation.simulate import simulate, steady_capacity_per_s
from benchmarks.simulation.simulation_report import gains
from benchmarks.simulation.workload import read_workload
from registry.errors import InvalidInput
from tests.conftest import tracking
from tests.rankers import write_ranker
from tests.servers import PROJECT


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> SimulationConfig:
    """A trace without texts."""
    rng = np.random.default_rng(0)
    rows = {"arrival_s": np.cumsum(rng.exponential(0.1, 400)), "prompt_tokens": rng.integers(1, 40, 400)}
    path = tmp_path_factory.mktemp("trace") / "trace.parquet"
    pd.DataFrame(rows | {"response_tokens": rng.geometric(0.02, 400)}).to_parquet(path)
    return SimulationConfig(trace=path, requests=300, max_num_seqs=16, max_model_len=4096)


@pytest.fixture
def lengths(tmp_path: Path) -> Path:
    """A log in which the longer prompt has the longer answer, as the tests' ranker believes."""
    rows = [{"prompt": "tell me more " * (1 + i % 20) + str(i), "output_tokens": 2 + 5 * (i % 20)} for i in range(900)]
    path = tmp_path / "lengths.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def simulated(config: SimulationConfig, capacity_per_s: float = 0.0) -> pd.DataFrame:
    return simulate(config, parse_policies(config), read_workload(config), capacity_per_s)


def test_orders_that_know_more_gain_more_and_the_control_gains_nothing(config: SimulationConfig) -> None:
    answers = simulated(replace(config, low_load_requests=0))
    table = summarise(answers)
    kept = gains(table).gain_of_work_kept
    assert 0.6 < kept["noise"] < kept["oracle_work"] == 1
    assert leak(answers, "dealt_work") is None
    assert answers.groupby(["policy", "repeat"]).size().tolist() == [300] * 12, "the control's baseline among them"


def test_one_request_at_a_time_waits_for_nothing_under_any_order(config: SimulationConfig) -> None:
    answers = simulated(replace(config, low_load_requests=20, policies="fcfs,oracle"))
    alone = answers[answers.load == ALONE]
    ended_s = alone.sent_s + alone.e2e_s
    assert (alone.sent_s.to_numpy()[1:20] >= ended_s.to_numpy()[:19]).all()
    fcfs, oracle = (alone[alone.policy == policy].e2e_s.to_numpy() for policy in ("fcfs", "oracle"))
    assert oracle == pytest.approx(fcfs)


def test_load_is_a_multiple_of_what_a_full_engine_gets_through(config: SimulationConfig) -> None:
    config = replace(config, arrivals="poisson", loads=(0.2, 2.0), policies="fcfs,oracle")
    capacity_per_s = steady_capacity_per_s(config, read_workload(config))
    answers = simulated(config, capacity_per_s)
    sent_s = answers[answers.policy == "fcfs"].groupby("load").sent_s.max()
    assert sent_s[0.2] == pytest.approx(300 / (0.2 * capacity_per_s), rel=0.25)
    waits_s = answers[answers.policy == "fcfs"].groupby("load").ttft_s.mean()
    assert waits_s[2.0] > 5 * waits_s[0.2]


def test_recorded_traffic_keeps_its_times_and_lengths(config: SimulationConfig) -> None:
    config = replace(config, arrivals="recorded", policies="fcfs,oracle", low_load_requests=0)
    trace = pd.read_parquet(config.trace)
    answers = simulated(config)
    first = answers[answers.policy == "oracle"]
    assert first.output_tokens.tolist() == trace.response_tokens.tolist()[:300]
    assert first.sent_s.to_numpy() == pytest.approx((trace.arrival_s - trace.arrival_s[0]).to_numpy()[:300])
    assert set(answers.repeat) == {0}


def test_patience_of_zero_is_first_come_first_served(config: SimulationConfig) -> None:
    answers = simulated(replace(config, policies="fcfs,oracle@0", arrivals="poisson", loads=(2.0,)), 5.0)
    fcfs, impatient = (one.e2e_s.to_numpy() for _, one in answers.groupby("policy"))
    assert fcfs == pytest.approx(impatient)


def test_requests_that_no_engine_can_hold_are_left_out_and_noted(config: SimulationConfig) -> None:
    traffic = read_workload(replace(config, max_model_len=60, requests=400))
    assert (traffic.prompt_tokens + traffic.output_tokens).max() <= 60
    assert any("do not fit" in note for note in traffic.notes)
    assert any("more than once" in note for note in traffic.notes)


def test_rankers_order_by_their_calibrated_places(lengths: Path, tmp_path: Path) -> None:
    right, wrong = write_ranker(tmp_path / "right"), write_ranker(tmp_path / "wrong", weight=-1.0)
    config = SimulationConfig(
        lengths=lengths,
        requests=60,
        policies="fcfs,pars,other,prompt_length",
        ranker=str(right),
        rankers=(f"other={wrong}",),
        order_by="length",
    )
    found = orders_of({"pars", "other", "prompt_length"}, config, traffic := read_workload(config))
    agreement = {
        name: kendalltau(order.best, traffic.output_tokens).statistic for name, order in found.items() if name != "fcfs"
    }
    assert agreement["pars"] > 0.95
    assert agreement["other"] == pytest.approx(-agreement["pars"])
    assert agreement["prompt_length"] > 0.95


def test_rivals_stand_in_the_same_table_and_take_no_time(lengths: Path) -> None:
    config = SimulationConfig(lengths=lengths, requests=60, policies=f"fcfs,oracle,{','.join(RIVALS)}", max_num_seqs=4)
    policies, traffic = parse_policies(config), read_workload(config)
    rivals = rivals_of(policies, config, traffic)
    answers = simulate(config, policies, traffic, 0.0, rivals)
    s_per_token = summarise(answers).s_per_token
    assert s_per_token["outlen_bucket"] == pytest.approx(s_per_token["fcfs"])  # the log holds no parameters
    assert s_per_token["oracle"] <= s_per_token["lexical_boosting"] < 0.7 * s_per_token["fcfs"]
    assert set(answers.placed_by) == {"known"}
    assert any("learned from the" in note for note in rivals.notes)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"part": "all"}, "template_mean is fitted on"), ({"lengths": None}, "the traffic has none")],
)
def test_rivals_that_have_nothing_to_go_by_are_refused(
    config: SimulationConfig, lengths: Path, changes: dict[str, Any], reason: str
) -> None:
    config = replace(config, **{"lengths": lengths, "policies": "fcfs,template_mean", **changes})
    with pytest.raises(InvalidInput, match=reason):
        rivals_of(parse_policies(config), config, read_workload(config))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"policies": "oracle"}, "add fcfs"),
        ({"policies": "fcfs,sjf"}, "but got 'sjf' in 'fcfs,sjf'"),
        ({"policies": "fcfs,pars"}, "give ranker=URI"),
        ({"policies": "fcfs,oracle@soon"}, "NAME@SECONDS"),
        ({"rankers": ("folder",)}, "NAME=URI"),
        ({"rankers": ("oracle=folder",)}, "no other policy has"),
    ],
)
def test_policies_that_cannot_be_simulated_are_refused(
    config: SimulationConfig, changes: dict[str, object], reason: str
) -> None:
    with pytest.raises(InvalidInput, match=reason):
        parse_policies(replace(config, **changes))  # type: ignore[arg-type]


def test_ranker_needs_prompts(config: SimulationConfig, tmp_path: Path) -> None:
    config = replace(config, ranker=str(write_ranker(tmp_path / "ranker")))
    with pytest.raises(InvalidInput, match="reads prompts"):
        orders_of({"pars"}, config, read_workload(config))


def test_command_leaves_its_tables_and_pages_in_mlflow(config: SimulationConfig, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    environment["MLFLOW_TRACKING_URI"] = uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    command = [sys.executable, "-m", "benchmarks", "simulate", "--trace", str(config.trace), "--requests", "200"]
    command += ["--max-num-seqs", "16", "--max-model-len", "4096", "--lengths", "", "--loads", ""]
    command += ["--policies", "fcfs,control,noise,oracle,oracle@7.5"]
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Simulated, nothing was run" in done.stdout
    with tracking(uri):
        run = mlflow.search_runs(search_all_experiments=True).iloc[0]
        folder = Path(mlflow.artifacts.download_artifacts(run_id=run["run_id"], dst_path=str(tmp_path / "got")))
    assert len(read_answers(folder / "answers.parquet")) == 6 * (2 * 200 + 50)
    assert "one request at a time" in done.stdout
    assert run["metrics.alone.oracle.fcfs_over_policy"] == pytest.approx(1, abs=0.01)
    assert {"report.html", "report.txt", "table.json", "charts"} <= {one.name for one in folder.iterdir()}
    assert run["metrics.oracle.gain_kept"] == 1
    assert run["metrics.oracle:7.5.s_per_token"] >= run["metrics.oracle.s_per_token"]
    assert "(@SECONDS), the oracle too" in (folder / "report.html").read_text()
