"""A leak that is planted, to see that the control shows it: predictions that true lengths cap."""

import json
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from benchmarks.failures import SimulationError
from benchmarks.report.leak import leak
from benchmarks.simulation.config import SimulationConfig
from benchmarks.simulation.orders import parse_policies
from benchmarks.simulation.simulate import run_simulation, simulate
from benchmarks.simulation.workload import read_workload
from registry.request_features import CAP_FEATURE
from tests.conftest import tracking
from tests.rankers import write_ranker


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> SimulationConfig:
    """A small burst: few long answers, many short ones."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("trace") / "trace.parquet"
    lengths = np.clip(rng.lognormal(2.5, 1.0, 600), 1, 80).astype(int)
    rows = {"arrival_s": np.arange(600.0), "prompt_tokens": rng.integers(5, 40, 600), "response_tokens": lengths}
    pd.DataFrame(rows).to_parquet(path)
    return SimulationConfig(trace=path, requests=150, max_num_seqs=16, max_model_len=4096, policies="fcfs,control")


def answered(config: SimulationConfig) -> pd.DataFrame:
    return simulate(config, parse_policies(config), read_workload(config), 0.0)


@pytest.mark.parametrize("seeds", [range(3), pytest.param(range(20), marks=pytest.mark.slow)])
def test_every_run_with_the_leak_fails_itself_and_none_without(config: SimulationConfig, seeds: range) -> None:
    for seed in seeds:
        assert leak(answered(replace(config, seed=seed, cap_by_max_tokens="on")), "dealt_work") is not None, seed
        assert leak(answered(replace(config, seed=seed)), "dealt_work") is None, seed


def test_a_limit_that_is_the_truth_leaks_through_what_a_ranker_reads_unless_it_is_blanked(tmp_path: Path) -> None:
    """Its predictions are the roots of the limits, which no cap moves."""
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.lognormal(2.5, 1.0, 200), 1, 80).astype(int)
    rows = {"arrival_s": np.arange(200.0), "prompt": [f"prompt {one}" for one in range(200)], "output_tokens": lengths}
    path = tmp_path / "trace.parquet"
    limits = [json.dumps({"max_tokens": int(one)}) for one in lengths]  # as a log of a replay has them
    pd.DataFrame(rows | {"params": limits}).to_parquet(path)
    control = write_ranker(tmp_path / "control", weight=0.0, feature_weights={CAP_FEATURE: 5.0})
    config = SimulationConfig(
        trace=path,
        requests=150,
        max_num_seqs=16,
        max_model_len=4096,
        policies="fcfs,control",
        order_by="length",
        control=str(control),
    )
    assert leak(answered(replace(config, cap_by_max_tokens="on"))) is not None
    assert leak(answered(config)) is None


@pytest.mark.filterwarnings("ignore:For backward compatibility, 'str' dtypes:DeprecationWarning")  # MLflow's table
def test_failed_run_leaves_its_report(config: SimulationConfig, tmp_path: Path) -> None:
    with tracking(f"sqlite:///{tmp_path / 'mlflow.db'}"):
        experiment = mlflow.create_experiment("leak", (tmp_path / "artifacts").as_uri())
        with (
            mlflow.start_run(experiment_id=experiment) as run,
            pytest.raises(SimulationError, match="the truth leaks into the order"),
        ):
            run_simulation(replace(config, cap_by_max_tokens="on"))
        text = mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/report.txt")
    assert "Predictions are capped by the true lengths: a planted leak" in text
