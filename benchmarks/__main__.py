"""Evidence from the command line: `python -m benchmarks --help`."""

import logging
import os
from pathlib import Path

import mlflow
import typer

from benchmarks.cost.measure_engine import CalibrationConfig, run_calibration
from benchmarks.cost.overhead import OverheadConfig, measure_overhead
from benchmarks.cost.scoring_cost import ScoringConfig, measure_scoring
from benchmarks.demo import DemoError, run_demo
from benchmarks.failures import ReplayError, SimulationError
from benchmarks.replay.config import ReplayConfig
from benchmarks.replay.replay import run_replay
from benchmarks.simulation.config import SimulationConfig
from benchmarks.simulation.fleet.config import FleetConfig
from benchmarks.simulation.fleet.fleet import run_fleet
from benchmarks.simulation.simulate import run_simulation
from benchmarks.simulation.step_cost import StepCost
from benchmarks.what_if.config import WhatIfConfig
from benchmarks.what_if.simulator import Simulator
from benchmarks.what_if.what_if import run_what_if
from registry.card import InvalidRanker
from registry.errors import InvalidInput
from registry.store import RegistryError
from registry.tracking import configure_tracking
from serving.champion.follower import NoChampion
from training.options import takes

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="What PARS brings, measured.")

SERVER_LOG = Path(".pars") / "replay-server.log"


@app.command("replay")
@takes(ReplayConfig)
def replay_command(config: ReplayConfig) -> None:
    """Replay recorded traffic through the real server under FCFS, PARS, the oracle and a control."""
    SERVER_LOG.parent.mkdir(exist_ok=True)
    with mlflow.start_run(run_name=f"replay {config.target_llm}"):
        typer.echo(run_replay(config, SERVER_LOG))
    typer.echo("Look at it: mlflow ui --backend-store-uri " + mlflow.get_tracking_uri())


@app.command("what-if")
@takes(WhatIfConfig)
def what_if_command(config: WhatIfConfig) -> None:
    """What ordering would bring for your own log of served traffic, and what to spend on; simulated."""
    simulator = Simulator(config, StepCost.read(config.cost))
    with mlflow.start_run(run_name=f"what-if {config.log.stem}"):
        typer.echo(run_what_if(config, simulator, simulator.sentence))
    typer.echo("Look at it: mlflow ui --backend-store-uri " + mlflow.get_tracking_uri())


@app.command("simulate")
@takes(SimulationConfig)
def simulate_command(config: SimulationConfig) -> None:
    """Simulate traffic with vLLM's own scheduler: every order beside first-come-first-served and the oracle."""
    with mlflow.start_run(run_name="simulate"):
        typer.echo(run_simulation(config))
    typer.echo("Look at it: mlflow ui --backend-store-uri " + mlflow.get_tracking_uri())


@app.command("overhead")
@takes(OverheadConfig)
def overhead_command(config: OverheadConfig) -> None:
    """What ranking costs beside the engine: tokens per second with and without it, and its time per request."""
    SERVER_LOG.parent.mkdir(exist_ok=True)
    with mlflow.start_run(run_name=f"overhead {config.target_llm}"):
        typer.echo(measure_overhead(config, SERVER_LOG).text)


@app.command("fleet")
@takes(FleetConfig)
def fleet_command(config: FleetConfig) -> None:
    """Simulate several replicas behind a router: what routing adds to ordering."""
    with mlflow.start_run(run_name="fleet"):
        typer.echo(run_fleet(config))


@app.command("calibrate")
@takes(CalibrationConfig)
def calibrate_command(config: CalibrationConfig) -> None:
    """Measure what a step of a live engine costs, for `simulate`."""
    SERVER_LOG.parent.mkdir(exist_ok=True)
    with mlflow.start_run(run_name=f"calibrate {config.target_llm}"):
        typer.echo(run_calibration(config, SERVER_LOG))


@app.command("scoring")
@takes(ScoringConfig)
def scoring_command(config: ScoringConfig) -> None:
    """Time a ranker against a BERT-base, and compare how it orders as served (int8) and as float32."""
    with mlflow.start_run(run_name="scoring"):
        typer.echo(measure_scoring(config).sentence)


@app.command()
def demo() -> None:
    """The whole life on embedded data: train, promote, serve, replay. Takes some ten minutes on two cores."""
    run_demo()


def main() -> None:
    """Run the command line; a user's mistake ends in one sentence and exit code 1."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each request
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before torch loads: its threads share cores with an engine
    configure_tracking()
    try:
        app()
    except (
        DemoError,
        ReplayError,
        SimulationError,
        RegistryError,
        NoChampion,
        InvalidRanker,
        InvalidInput,
        ValueError,
    ) as error:
        typer.echo(f"Error: {error}", err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
