"""Several engines behind a router."""

import json
from dataclasses import fields, replace
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from benchmarks.answers import check_answers
from benchmarks.failures import SimulationError
from benchmarks.report.summary import summarise
from benchmarks.simulation.config import SimulationConfig
from benchmarks.simulation.fleet.config import FleetConfig
from benchmarks.simulation.fleet.fleet import run_fleet, simulate_fleet
from benchmarks.simulation.fleet.fleet_report import leak
from benchmarks.simulation.fleet.routers import RouterName
from benchmarks.simulation.orders import parse_policies
from benchmarks.simulation.simulate import simulate, steady_capacity_per_s
from benchmarks.simulation.workload import read_workload
from registry.errors import InvalidInput
from serving.work.step_cost import StepCost
from tests.conftest import tracking
from tests.rankers import write_ranker


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


def _lengths(folder: Path) -> Path:
    """A log in which the longer prompt has the longer answer, as the tests' ranker believes."""
    rows = [{"prompt": "tell me more " * (1 + i % 20) + str(i), "output_tokens": 2 + 9 * (i % 20)} for i in range(900)]
    path = folder / "lengths.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


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


def test_one_replica_is_one_engine_with_its_intake_and_its_ranker(config: FleetConfig) -> None:
    config = replace(config, requests=120, replicas=1, routers=("round_robin",), policies="fcfs,noise")
    config = replace(config, repeats=2, ranking_ms=200.0, ranking_backlog_ms=500.0)
    alone = SimulationConfig(**{one.name: getattr(config, one.name) for one in fields(SimulationConfig)})
    of_fleet = simulated(config)
    of_engine = simulate(alone, parse_policies(alone), read_workload(alone), 12.0)
    for name in ("sent_s", "ttft_s", "e2e_s", "placed_by", "repeat"):
        assert of_fleet[name].tolist() == of_engine[name].tolist()
    placed_by = of_fleet[of_fleet.order == "noise"].placed_by.value_counts(normalize=True)
    assert placed_by["instant"] > 0.1
    assert placed_by["encoder"] > 0.1


def test_capacity_is_that_of_the_runs_with_what_comes_before_the_engine(config: FleetConfig, tmp_path: Path) -> None:
    cost = StepCost(fixed_s=0.034, per_token_s=0.0, per_sequence_s=0.0, intake_s=0.05).write(tmp_path)
    config = replace(config, cost=str(cost), arrivals="burst", loads=(), routers=("round_robin",), policies="fcfs")
    answers = simulated(config)
    for replica, one in answers.groupby("replica"):
        assert one.ttft_s.max() > 0.05 * len(one), replica
    assert steady_capacity_per_s(config, read_workload(config)) < 20


@pytest.mark.parametrize(("per_longest_token_s", "pays"), [(0.0, False), (1e-4, True)])
def test_grouping_by_length_pays_where_the_longest_sequence_holds_up_its_batch(
    config: FleetConfig, tmp_path: Path, per_longest_token_s: float, pays: bool
) -> None:
    rng = np.random.default_rng(0)
    rows = {"arrival_s": np.arange(200.0), "prompt_tokens": rng.choice([10, 3000], 200, p=[0.7, 0.3])}
    path = tmp_path / "trace.parquet"
    pd.DataFrame(rows | {"response_tokens": rng.integers(15, 25, 200)}).to_parquet(path)
    cost = StepCost(fixed_s=0.02, per_token_s=0.0, per_sequence_s=0.0, per_longest_token_s=per_longest_token_s)
    config = replace(config, trace=path, cost=str(cost.write(tmp_path)), requests=200, max_num_seqs=8, replicas=2)
    config = replace(config, routers=("round_robin", "length_aware"), policies="fcfs")
    ratio = summarise(simulated(config, capacity_per_s=200.0)).fcfs_over_policy["fcfs length_aware"]
    assert ratio > 1.2 if pays else ratio < 1


def test_control_is_found_under_each_router_and_must_gain_nothing(config: FleetConfig) -> None:
    routers: tuple[RouterName, ...] = ("round_robin", "least_loaded")
    answers = simulated(replace(config, routers=routers, policies="fcfs,control,oracle", repeats=2))
    assert leak(answers, "work") is None
    known = answers[(answers.order == "oracle") & (answers.router == "least_loaded")].assign(order="control")
    rest = answers[(answers.order != "control") | (answers.router != "least_loaded")]
    assert "Under least_loaded: work of prompts / control must lie within" in (
        leak(pd.concat([rest, known]), "work") or ""
    )


def test_fleet_whose_control_gains_fails_with_its_figures(config: FleetConfig, tmp_path: Path) -> None:
    with tracking(f"sqlite:///{tmp_path / 'mlflow.db'}"):
        experiment = mlflow.create_experiment("fleet", (tmp_path / "artifacts").as_uri())
        knowing = write_ranker(tmp_path / "ranker")
        config = replace(config, lengths=_lengths(tmp_path), control=str(knowing), policies="fcfs,control")
        config = replace(config, order_by="length")  # such a ranker knows no prompts beside its answers
        config = replace(config, routers=("round_robin",), requests=300)
        with mlflow.start_run(experiment_id=experiment), pytest.raises(SimulationError, match="Under round_robin"):
            run_fleet(config)


def test_run_is_logged_and_says_what_is_simulated(config: FleetConfig, tmp_path: Path) -> None:
    with tracking(f"sqlite:///{tmp_path / 'mlflow.db'}"):
        experiment = mlflow.create_experiment("fleet", (tmp_path / "artifacts").as_uri())
        with mlflow.start_run(experiment_id=experiment) as run:
            text = run_fleet(replace(config, requests=100, routers=("round_robin", "least_loaded"), repeats=2))
        logged = mlflow.MlflowClient().get_run(run.info.run_id).data
        page = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/report.html")
    for said in (text, page):
        assert "Simulated, nothing was run: 100 requests" in said
        assert "A router knows what it sent" in said
        assert "oracle round_robin" in said
    headline = logged.tags["mlflow.note.content"]
    assert headline in text
    assert "fcfs least_loaded" in headline, "the headline is about the best that needs no truth"
    assert logged.metrics["fcfs.fcfs_over_policy"] == 1


@pytest.mark.parametrize("changes", [{"replicas": 0}, {"groups": 0}, {"poll_s": 0.0}, {"routers": ()}])
def test_what_is_no_fleet_is_refused(config: FleetConfig, changes: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match=r"at least 1|needs a router"):
        replace(config, **changes)  # type: ignore[arg-type]
