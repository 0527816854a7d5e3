"""Commands that measure or simulate what ordering brings and costs, each in an MLflow run of its own."""

from pathlib import Path

import mlflow

from benchmarks.cost.measure_engine import EngineMeasurementConfig, run_engine_measurement
from benchmarks.cost.overhead import OverheadConfig, measure_overhead
from benchmarks.cost.scoring_cost import ScoringConfig, measure_scoring
from benchmarks.cross_check.config import CrossCheckConfig
from benchmarks.cross_check.cross_check import run_cross_check
from benchmarks.replay.config import ReplayConfig
from benchmarks.replay.replay import run_replay
from benchmarks.simulation.config import SimulationConfig
from benchmarks.simulation.engine.run import on_all_cores
from benchmarks.simulation.fleet.config import FleetConfig
from benchmarks.simulation.fleet.fleet import run_fleet
from benchmarks.simulation.simulate import run_simulation
from benchmarks.what_if.config import WhatIfConfig
from benchmarks.what_if.what_if import run_what_if
from registry.runs.stored_run import stored_run
from serving.work.step_cost import StepCost

SERVER_LOG = Path(".pars") / "replay-server.log"


def replay(config: ReplayConfig) -> str:
    """Replay a log through real servers."""
    with stored_run(f"replay {config.target_llm}"):
        return _with_where_to_look(run_replay(config, _server_log()))


def what_if(config: WhatIfConfig) -> str:
    """Simulate a log of served traffic."""
    cost = StepCost.read(config.cost)
    with stored_run(f"what-if {config.log.stem}"), on_all_cores() as simulate:
        return _with_where_to_look(run_what_if(config, cost, simulate))


def simulate(config: SimulationConfig) -> str:
    """Simulate traffic under several orders."""
    with stored_run("simulate"):
        return _with_where_to_look(run_simulation(config))


def fleet(config: FleetConfig) -> str:
    """Simulate replicas behind a router."""
    with stored_run("fleet"):
        return run_fleet(config)


def measure_engine(config: EngineMeasurementConfig) -> str:
    """Measure what a step of a live engine costs."""
    with stored_run(f"measure-engine {config.target_llm}"):
        return run_engine_measurement(config, _server_log())


def cross_check(config: CrossCheckConfig) -> str:
    """Hold the replay's client against vLLM's own."""
    with stored_run(f"cross-check {config.target_llm}"):
        return run_cross_check(config, _server_log())


def overhead(config: OverheadConfig) -> str:
    """Measure what ranking costs beside the engine."""
    with stored_run(f"overhead {config.target_llm}"):
        return measure_overhead(config, _server_log()).text


def scoring(config: ScoringConfig) -> str:
    """Time a ranker on single prompts."""
    with stored_run("scoring"):
        return measure_scoring(config).sentence


def _server_log() -> Path:
    SERVER_LOG.parent.mkdir(exist_ok=True)
    return SERVER_LOG


def _with_where_to_look(text: str) -> str:
    return f"{text}\nLook at it: mlflow ui --backend-store-uri {mlflow.get_tracking_uri()}"
