"""Commands of the circle: what was served judges rankers, and leads to new ones."""

import time

from benchmarks.simulation.engine.run import on_all_cores
from cli.actions.simulations import with_where_to_look
from loop.yesterday.config import YesterdayConfig
from loop.yesterday.yesterday import run_yesterday
from registry.runs.stored_run import stored_run
from serving.work.step_cost import StepCost


def yesterday(config: YesterdayConfig) -> str:
    """Look at the journal's last day."""
    cost = StepCost.read(config.cost)
    with stored_run(f"yesterday {config.target_llm}"), on_all_cores() as simulate:
        return with_where_to_look(run_yesterday(config, cost, simulate, time.time()))
