"""Several engines behind a router."""

from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from benchmarks.answers import check_answers
from benchmarks.results import summarise
from benchmarks.simulation.config import SimulationConfig
from benchmarks.simulation.fleet.fleet import FleetConfig, run_fleet, simulate_fleet
from benchmarks.simulation.orders import parse_policies
from benchmarks.simulation.simulate import simulate
from benchmarks.simulation.workload import read_workload
from tests.conftest import tracking


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> FleetConfig:
    rng = np.random.default_rng(0)
    rows = {"arrival_s": np.arange(400.0), "prompt_tokens": rng.integers(1, 40, 400)}
    path = tmp_path_factory.mktemp("trace") / "trace.parquet"
    pd.DataFrame(rows | {"response_tokens": rng.geometric(0.02, 400)}).to_parquet(path)
    return FleetConfig(
        trace=path,
        requests=400,
        max_num_seqs=4,
        max_model_len=4096,
        replicas=3,
        groups=2,
        processes=1,
        arrivals="poisson",
        loads=(1.5,),
        policies="fcfs,oracle",
    )


def simulated(config: FleetConfig, capacity_per_s: float = 12.0) -> pd.DataFrame:
    return simulate_fleet(config, parse_policies(config), read_workload(config), capacity_per_s)


def test_every_router_answers_everything_on_every_replica(config: FleetConfig) -> None:
    answers = check_answers(simulated(config))
    names = {"fcfs", "fcfs least_loaded", "fcfs length_aware"}
    names |= {"oracle round_robin", "oracle least_loaded", "oracle length_aware"}
    assert answers.groupby("policy").size().to_dict() == dict.fromkeys(names, 400)
    assert answers.e2e_s.notna().all()
    assert (answers.groupby("policy").replica.nunique() == 3).all()
    assert summarise(answers).fcfs_over_policy["oracle round_robin"] > 1.5


def test_replicas_in_processes_bring_the_same_answers(config: FleetConfig) -> None:
    config = replace(config, requests=120, policies="fcfs", routers=("least_loaded",))
    pd.testing.assert_frame_equal(simulated(config), simulated(replace(config, processes=2)))


def test_one_replica_is_one_engine(config: FleetConfig) -> None:
    config = replace(config, requests=120, replicas=1, routers=("round_robin",), policies="fcfs")
    costs = {"cost": config.cost, "ranking_ms": 0.0}
    alone = SimulationConfig(
        trace=config.trace,
        requests=120,
        max_num_seqs=4,
        max_model_len=4096,
        arrivals="poisson",
        loads=(1.5,),
        policies="fcfs",
        repeats=1,
        **costs,  # type: ignore[arg-type]
    )
    of_fleet = simulated(config)
    of_engine = simulate(alone, parse_policies(alone), read_workload(alone), 12.0)
    # The single engine takes requests in, one after the other; the fleet does not.
    assert of_fleet.e2e_s.mean() == pytest.approx(of_engine.e2e_s.mean(), rel=0.05)
    assert of_fleet.sent_s.tolist() == of_engine.sent_s.tolist()


def test_run_is_logged_and_says_what_is_simulated(config: FleetConfig, tmp_path: Path) -> None:
    with tracking(f"sqlite:///{tmp_path / 'mlflow.db'}"):
        experiment = mlflow.create_experiment("fleet", (tmp_path / "artifacts").as_uri())
        with mlflow.start_run(experiment_id=experiment) as run:
            text = run_fleet(replace(config, requests=100, policies="fcfs"))
        metrics = mlflow.MlflowClient().get_run(run.info.run_id).data.metrics
    assert "Simulated, nothing was run: 100 requests" in text
    assert "A router knows what it sent" in text
    assert metrics["load_1.5.fcfs.fcfs_over_policy"] == 1


@pytest.mark.parametrize("changes", [{"replicas": 0}, {"groups": 0}, {"poll_s": 0.0}, {"routers": ()}])
def test_what_is_no_fleet_is_refused(config: FleetConfig, changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"at least 1|needs a router"):
        replace(config, **changes)  # type: ignore[arg-type]
