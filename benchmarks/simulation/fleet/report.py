"""What a fleet leaves in MLflow and on the terminal."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow
import pandas as pd

from benchmarks import results
from benchmarks.answers import write_answers
from benchmarks.comparison import by_load
from benchmarks.comparison import leak as leak_of
from benchmarks.patience import oracle_patience
from benchmarks.simulation.fail_opens import fail_opens
from benchmarks.simulation.fleet.config import FleetConfig
from benchmarks.titles import load_title


@dataclass(frozen=True)
class SimulatedFleet:
    """All that was simulated."""

    config: FleetConfig
    answers: pd.DataFrame
    """One row an answer (`benchmarks/answers.py`), and its `order` and `router`, which `policy` names together."""
    capacity_per_s: float
    requests_per_s: float
    """Of wall time."""

    def text(self) -> str:
        """The table of each load, and what a reader must know with them."""
        lines = []
        for load, one in by_load(self.answers):
            lines += [load_title(load, "as recorded" if self.config.arrivals == "recorded" else "burst")]
            lines += [results.as_text(results.summarise(one)), ""]
        return "\n".join([*lines, *fail_opens(self.answers), *_provenance(self)])


def log(fleet: SimulatedFleet) -> str:
    """Log answers, figures and the report to the active run; return the report as text."""
    text = fleet.text()
    with TemporaryDirectory() as folder:
        write_answers(fleet.answers, Path(folder))
        (Path(folder) / "report.txt").write_text(text, encoding="utf-8")
        mlflow.log_artifacts(folder)
    mlflow.log_metrics(_metrics(fleet))
    return text


def leak(answers: pd.DataFrame) -> str | None:
    """Why the answers cannot be trusted, if under some router the control gained or lost beside FCFS under it.

    A router that goes by length has no such pair: it sends the one by what the control predicts, the other by prompts.
    """
    for router, one in answers[answers.router != "length_aware"].groupby("router", sort=False):
        if (reason := leak_of(one.assign(policy=one.order))) is not None:
            return f"Under {router}: {reason}"
    return None


def _metrics(fleet: SimulatedFleet) -> dict[str, float]:
    metrics = {"capacity_per_s": fleet.capacity_per_s, "requests_per_s": fleet.requests_per_s}
    for load, one in by_load(fleet.answers):
        ratios = {str(name).replace(" ", "."): value for name, value in results.summarise(one)[results.RATIO].items()}
        metrics |= {f"load_{load:.3g}.{name}.{results.RATIO}": value for name, value in ratios.items()}
    return metrics


def _provenance(fleet: SimulatedFleet) -> list[str]:
    config = fleet.config
    source = config.lengths or config.trace
    assert source is not None
    lines = [
        f"Simulated, nothing was run: {config.requests:,} requests of {source.name} over {config.replicas} replicas,"
        f" each of them vLLM's own scheduler ({config.max_num_seqs} sequences) under a virtual clock; the router is our"
        f" own. Capacity is {fleet.capacity_per_s:.4g} requests per second.",
        f"{config.step_cost.sentence} Each replica takes in and ranks what is sent to it; routing costs nothing.",
        *oracle_patience(fleet.answers, config.patience_s, " unless its name says another (@SECONDS)"),
        f"A router knows what it sent, and every {config.poll_s:g} s what was answered. least_loaded counts outstanding"
        f" requests; length_aware has {min(config.groups, config.replicas)} groups, counts outstanding predicted"
        " tokens, and goes by the prompt's length where the order predicts nothing.",
    ]
    if "control" in config.policies:
        lines.append(
            "The control must gain nothing beside fcfs under the same router; length_aware routes the two differently."
        )
    return [*lines, f"{len(fleet.answers):,} answers, {fleet.requests_per_s:,.0f} a second of wall time."]
