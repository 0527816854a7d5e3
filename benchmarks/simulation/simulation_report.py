"""What a simulation leaves in MLflow and on the terminal."""

from dataclasses import asdict, dataclass
from functools import cached_property

import mlflow
import pandas as pd

from benchmarks.answers import ALONE
from benchmarks.capacity import STEADILY
from benchmarks.policies.titles import load_title, metric_prefix
from benchmarks.report import summary
from benchmarks.report.comparison import MATTERS_FROM, at_load, by_load, highest_load
from benchmarks.report.leak import baseline_of, doubts
from benchmarks.report.notes import UNLESS_NAMED, oracle_patience, ordered_by, placements
from benchmarks.report.page.evidence import Evidence
from benchmarks.report.page.log import log_page
from benchmarks.simulation.config import SimulationConfig
from traffic.batch import Traffic

KEPT = {"oracle": "gain_kept", "oracle_work": "gain_of_work_kept"}
"""The share of an oracle's gain, by the oracle."""


@dataclass(frozen=True)
class Simulated:
    """All that was simulated."""

    config: SimulationConfig
    traffic: Traffic
    answers: pd.DataFrame
    capacity_per_s: float
    """0 where no load was a multiple of it."""

    @cached_property
    def evidence(self) -> Evidence:
        """What the page shows."""
        source = self.config.lengths or self.config.trace
        assert source is not None
        return Evidence(
            title=f"Simulation of {source.name}",
            answers=self.answers,
            provenance=tuple(_provenance(self)),
            settings=asdict(self.config),
            overhead=(*overhead(self.config, self.answers), *doubts(self.answers, baseline_of(self.config.order_by))),
            load=highest_load(self.answers),
            objectives=self.config,
            capacity_per_s=self.capacity_per_s,
            unrated="as recorded" if self.config.arrivals == "recorded" else "burst",
        )

    def text(self) -> str:
        """Two tables of each load, and what a reader must know with them."""
        lines = []
        for load, one in by_load(self.answers):
            table = summary.summarise(one)
            lines += [load_title(load, self.evidence.unrated), summary.as_text(table), "", _gains_text(table), ""]
        return "\n".join([*lines, *self.evidence.overhead, *self.evidence.provenance])


def gains(table: pd.DataFrame) -> pd.DataFrame:
    """A row a policy: the share of each oracle's gain that it keeps (where there is one), and its times beside FCFS."""
    fcfs = table.loc["fcfs"]
    rows = pd.DataFrame(index=table.index)
    for oracle, name in KEPT.items():
        if oracle in table.index and table[summary.RATIO][oracle] > MATTERS_FROM:
            rows[name] = (fcfs.s_per_token - table.s_per_token) / (fcfs.s_per_token - table.s_per_token[oracle])
    for name in ("e2e_s_p50", "e2e_s_p90", "e2e_s_p99", "max_wait_s"):
        rows[f"{name}_over_fcfs"] = table[name] / fcfs[name]
    rows["ttft_ms_p50"] = table.ttft_s_p50 * 1000
    return rows


def log(simulated: Simulated) -> str:
    """Log the page, its charts and data, and metrics to the active run; return the report as text, with its files."""
    shown = at_load(simulated.answers, simulated.evidence.load)
    table = summary.summarise(shown)
    where = log_page(simulated.evidence)
    mlflow.log_metric("capacity_per_s", simulated.capacity_per_s)
    mlflow.log_metrics(_metrics(gains(table)))
    mlflow.log_table(table.reset_index(), "table.json")
    mlflow.log_text(simulated.text(), "report.txt")
    return f"{simulated.text()}\n\n{where}"


def overhead(config: SimulationConfig, answers: pd.DataFrame) -> list[str]:
    """What ranking cost, and whose ranking it was where no ranker ran: sentences."""
    lines = placements(answers[answers.load != ALONE])
    if "noise" in config.policies:
        lines.append(
            f"noise is no ranker: the true lengths with noise that leaves a tau-b of about {config.tau:g}, and of"
            f" {config.noise_instant_tau:.3g} in its instant tier."
        )
    return lines


def _gains_text(table: pd.DataFrame) -> str:
    return str(gains(table).to_string(float_format="{:.3g}".format))


def _metrics(rows: pd.DataFrame) -> dict[str, float]:
    return {
        f"{metric_prefix(str(policy))}.{name}": float(value)
        for policy, row in rows.iterrows()
        for name, value in row.items()
    }


def _max_tokens(config: SimulationConfig) -> str:
    if config.cap_by_max_tokens == "on":
        return "Predictions are capped by the true lengths: a planted leak, which the control must show."
    return "A request's max_tokens is unknown to every order, so no recorded length leaks into it."


def _provenance(simulated: Simulated) -> list[str]:
    config, traffic = simulated.config, simulated.traffic
    source = config.lengths or config.trace
    assert source is not None
    lines = [
        f"Simulated, nothing was run: {len(traffic):,} requests of {source.name} through vLLM's own scheduler"
        f" ({config.max_num_seqs} sequences, {config.max_num_batched_tokens:,} tokens a step, KV cache of"
        f" {f'{config.kv_cache_tokens:,} tokens' if config.kv_cache_tokens else 'any size'}, prefix caching"
        f" {config.prefix_caching}) under a virtual clock.",
        config.step_cost.sentence,
        ordered_by(config.order_by, config.token_price),
        *oracle_patience(simulated.answers, config.patience_s, UNLESS_NAMED),
        _max_tokens(config),
    ]
    if simulated.capacity_per_s:
        how = "as given" if config.capacity_per_s else f"what the engine gets through {STEADILY}"
        lines.append(f"Capacity is {simulated.capacity_per_s:.3g} requests per second: {how}.")
    if "control" in config.policies and not config.control:
        lines.append("The control is the lengths dealt out at random; every second run mirrors it.")
    return [*lines, *traffic.notes]
