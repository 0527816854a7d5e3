"""Commands that simulate what ordering brings, each in an MLflow run of its own; no torch is loaded here."""

import mlflow

from benchmarks.simulation.config import SimulationConfig
from benchmarks.simulation.engine.run import on_all_cores
from benchmarks.simulation.fleet.config import FleetConfig
from benchmarks.simulation.fleet.fleet import run_fleet
from benchmarks.simulation.simulate import run_simulation
from benchmarks.what_if.config import WhatIfConfig
from benchmarks.what_if.what_if import run_what_if
from registry.runs.stored_run import stored_run
from serving.work.step_cost import StepCost


def what_if(config: WhatIfConfig) -> str:
    """Simulate a log of served traffic."""
    cost = StepCost.read(config.cost)
    with stored_run(f"what-if {config.log.stem}"), on_all_cores() as simulate:
        return with_where_to_look(run_what_if(config, cost, simulate))


def simulate(config: SimulationConfig) -> str:
    """Simulate traffic under several orders."""
    with stored_run("simulate"):
        return with_where_to_look(run_simulation(config))


def fleet(config: FleetConfig) -> str:
    """Simulate replicas behind a router."""
    with stored_run("fleet"):
        return run_fleet(config)


def with_where_to_look(text: str) -> str:
    """A text, and the command that shows the run."""
    return f"{text}\nLook at it: mlflow ui --backend-store-uri {mlflow.get_tracking_uri()}"
