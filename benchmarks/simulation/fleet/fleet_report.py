"""What a fleet leaves in MLflow and on the terminal."""

from dataclasses import asdict, dataclass
from functools import cached_property

import mlflow
import pandas as pd

from benchmarks.capacity import STEADILY
from benchmarks.policies.policy_list import kind_of
from benchmarks.policies.served_places import OrderBy
from benchmarks.policies.titles import load_title
from benchmarks.report import summary
from benchmarks.report.comparison import at_load, by_load, highest_load
from benchmarks.report.leak import baseline_of
from benchmarks.report.leak import leak as leak_of
from benchmarks.report.notes import UNLESS_NAMED, oracle_patience, ordered_by
from benchmarks.report.page.evidence import Evidence
from benchmarks.report.page.log import log_page
from benchmarks.simulation.fleet.config import FleetConfig
from benchmarks.simulation.simulation_report import overhead


@dataclass(frozen=True)
class SimulatedFleet:
    """All that was simulated."""

    config: FleetConfig
    answers: pd.DataFrame
    """One row an answer (`benchmarks/answers.py`), and its `order` and `router`, which `policy` names together."""
    capacity_per_s: float
    requests_per_s: float
    """Of wall time."""
    notes: tuple[str, ...] = ()
    """What must be known of the orders: sentences."""

    @cached_property
    def evidence(self) -> Evidence:
        """What the page shows; its headline is about the best of the orders and routers that are no oracle."""
        highest = highest_load(self.answers)
        return Evidence(
            title=f"Simulation of {self.config.replicas} replicas with {_source(self)}",
            answers=self.answers,
            provenance=tuple(_provenance(self)),
            settings=asdict(self.config),
            overhead=tuple(overhead(self.config, self.answers)),
            policy=_best_policy(at_load(self.answers, highest)),
            load=highest,
            objectives=self.config,
            capacity_per_s=self.capacity_per_s,
            unrated="as recorded" if self.config.arrivals == "recorded" else "burst",
        )

    def text(self) -> str:
        """The table of each load, and what a reader must know with them."""
        lines = []
        for load, one in by_load(self.answers):
            lines += [load_title(load, self.evidence.unrated), summary.as_text(summary.summarise(one)), ""]
        return "\n".join([*lines, *self.evidence.overhead, *self.evidence.provenance])


def log(fleet: SimulatedFleet) -> str:
    """Log the page and its data, and metrics to the active run; return the report as text, with where the page is."""
    where = log_page(fleet.evidence)
    mlflow.log_text(fleet.text(), "report.txt")
    mlflow.log_metrics({"capacity_per_s": fleet.capacity_per_s, "requests_per_s": fleet.requests_per_s})
    return f"{fleet.text()}\n\n{where}"


def leak(answers: pd.DataFrame, order_by: OrderBy) -> str | None:
    """Why the answers cannot be trusted, if under some router the control gained or lost beside what knows as much.

    A router that goes by length has no such pair: it sends the one by what the control predicts, the other by prompts.
    """
    for router, one in answers[answers.router != "length_aware"].groupby("router", sort=False):
        if (reason := leak_of(one.assign(policy=one.order), baseline_of(order_by))) is not None:
            return f"Under {router}: {reason}"
    return None


def _best_policy(answers: pd.DataFrame) -> str:
    """Of one load: the least mean seconds per token, of what needs no truth, is no control and has a rival in fcfs."""
    s_per_token = answers.e2e_s / answers.output_tokens
    rivals = (answers.policy != "fcfs") & ~answers.order.map(kind_of).isin(["oracle", "oracle_work", "control"])
    return str(s_per_token[rivals].groupby(answers.policy).mean().idxmin()) if rivals.any() else "fcfs"


def _source(fleet: SimulatedFleet) -> str:
    source = fleet.config.lengths or fleet.config.trace
    assert source is not None
    return source.name


def _how(config: FleetConfig) -> str:
    return "as given" if config.capacity_per_s else f"{config.replicas} times what one replica gets through {STEADILY}"


def _provenance(fleet: SimulatedFleet) -> list[str]:
    config = fleet.config
    lines = [
        f"Simulated, nothing was run: {config.requests:,} requests of {_source(fleet)} over {config.replicas} replicas,"
        f" each of them vLLM's own scheduler ({config.max_num_seqs} sequences) under a virtual clock; the router is our"
        f" own. Capacity is {fleet.capacity_per_s:.4g} requests per second, {_how(config)}.",
        f"{config.step_cost.sentence} Each replica takes in and ranks what is sent to it; routing costs nothing.",
        ordered_by(config.order_by, config.token_price),
        *oracle_patience(fleet.answers, config.patience_s, UNLESS_NAMED),
        *fleet.notes,
        f"A router knows what it sent, and every {config.poll_s:g} s what was answered. least_loaded counts outstanding"
        f" requests; length_aware has {min(config.groups, config.replicas)} groups by prompt and predicted"
        " answer together, counts outstanding predicted tokens, and goes by prompts where the order predicts nothing.",
    ]
    if "control" in config.policies:
        lines.append(
            f"The control must gain nothing beside {baseline_of(config.order_by)} under the same router; length_aware"
            " routes the two differently."
        )
    return [*lines, f"{len(fleet.answers):,} answers, {fleet.requests_per_s:,.0f} a second of wall time."]
