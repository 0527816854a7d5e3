"""What the journal costs: tokens per second and processor time in saturated bursts, with it and without it.

Two servers that differ in nothing else run side by side and are asked in turn: each idles while the other one works.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import mlflow
import numpy as np
import pandas as pd
from scipy.stats import t as student

from benchmarks.arrivals import ArrivalProcess
from benchmarks.cost.bursts import send
from benchmarks.endpoint.endpoint import Endpoint, choose_that_fit, connect
from benchmarks.endpoint.live_server import serve
from benchmarks.endpoint.plan import PlannedRequest, plan_requests
from benchmarks.endpoint.priorities import pars
from benchmarks.replay.own_server import server_settings
from registry.errors import InvalidInput
from registry.tracking import log_parameters
from serving.champion.start import find_champion
from traffic.length_log import LengthLogSource, read_length_log

BURST = ArrivalProcess(kind="burst")
LEVEL = 0.95
Plan = Callable[[int], list[PlannedRequest]]


@dataclass(frozen=True, kw_only=True)
class JournalCostConfig(LengthLogSource):
    """What is sent, and to which server."""

    target_llm: str
    """Whose champion ranks."""
    llm: str | None = None
    """Model name or path that the server runs; the server's own default unless given."""
    vllm_args: str | None = None
    """vLLM's flags, as one string; the server's own default unless given."""
    journal: Literal["keyed", "text"] = "keyed"
    """What the journal keeps of each request."""
    requests: int = 300
    """Requests of one burst."""
    pairs: int = 10
    """Bursts with the journal, each beside one without; the order alternates."""
    seed: int = 0
    """Draws the prompts and their order."""

    def __post_init__(self) -> None:
        """Refuse what has no interval."""
        if self.pairs < 2 or self.requests < 1:
            raise InvalidInput(
                f"pairs must be at least 2 and requests at least 1, but got {self.pairs} and {self.requests}."
            )


@dataclass(frozen=True)
class JournalCost:
    """One row a pair of bursts.

    `pair`, output tokens per second `noted` and `unnoted`, and beside them `noted_cpu_us` and `unnoted_cpu_us`:
    processor time per request of all of the server but its engine.
    """

    bursts: pd.DataFrame

    @property
    def metrics(self) -> dict[str, float]:
        """Means over pairs, with their intervals."""
        low, ratio, high = np.exp(_mean_of((self.bursts.noted / self.bursts.unnoted).map(np.log))).tolist()
        least_us, mean_us, most_us = _mean_of(self.bursts.noted_cpu_us - self.bursts.unnoted_cpu_us)
        return {
            **{"throughput_ratio": ratio, "throughput_ratio_low": low, "throughput_ratio_high": high},
            **{"journal_cpu_us": mean_us, "journal_cpu_us_low": least_us, "journal_cpu_us_high": most_us},
        }

    @property
    def text(self) -> str:
        """All of it, for people."""
        lines = [self.bursts.to_string(index=False, float_format="{:.1f}".format)]
        return "\n".join([*lines, *(f"{name}: {value:.4g}" for name, value in self.metrics.items())])


def _mean_of(of_pairs: "pd.Series[float]") -> tuple[float, float, float]:
    """Lower end, mean and upper end of the interval of a mean of pairs."""
    values = of_pairs.to_numpy()
    half = student.ppf((1 + LEVEL) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - half), float(values.mean()), float(values.mean() + half)


def measure_journal(config: JournalCostConfig, server_log: Path) -> JournalCost:
    """Start both servers, measure, and log to the active MLflow run.

    Raises:
        NoRanker: the target LLM has no ranker.
        ReplayError: a server or a request failed.
    """
    find_champion(config.target_llm)
    test = read_length_log(config).part("test", seed=config.seed)
    log_parameters(config)
    with ExitStack() as stack:
        endpoints = {name: _start(config, kept, server_log, stack) for name, kept in _servers(config).items()}
        chosen = choose_that_fit(endpoints["noted"], test, min(config.requests, len(test)))
        prompts, output_tokens = list(chosen.prompts), chosen.output_tokens.astype(int).tolist()

        def plan(seed: int) -> list[PlannedRequest]:
            return plan_requests(prompts, output_tokens, BURST, seed, is_reversed=False)

        for name, endpoint in endpoints.items():  # a server's first burst finds it cold
            send(endpoint, plan(config.seed), pars, f"warm-up, {name}")
        cost = JournalCost(pd.DataFrame([_pair(config, endpoints, plan, pair) for pair in range(config.pairs)]))
    mlflow.log_metrics(cost.metrics)
    mlflow.log_table(cost.bursts, "bursts.json")
    return cost


def _servers(config: JournalCostConfig) -> dict[str, str]:
    return {"noted": config.journal, "unnoted": "off"}


def _start(config: JournalCostConfig, kept: str, server_log: Path, stack: ExitStack) -> Endpoint:
    settings = server_settings(config.target_llm, config.llm, config.vllm_args, patience_s=0.0)
    log = server_log.with_stem(f"{server_log.stem}-journal-{kept}")
    return connect(stack.enter_context(serve({**settings, "PARS_JOURNAL": kept}, log)))


def _pair(config: JournalCostConfig, endpoints: dict[str, Endpoint], plan: Plan, pair: int) -> dict[str, float]:
    requests = plan(config.seed + pair)
    row: dict[str, float] = {"pair": pair}
    for name in sorted(endpoints, reverse=pair % 2 == 0):
        sent = send(endpoints[name], requests, pars, f"{name}, burst {pair + 1} of {config.pairs}")
        row |= {name: sent.tokens_per_s, f"{name}_cpu_us": 1e6 * sent.cpu_s}
    return row
