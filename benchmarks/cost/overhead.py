"""What ranking costs: tokens per second and processor time in a saturated burst with and without it, and its time.

One server, patience 0: both ways the queue is first come, first served, and a burst differs only in being ranked.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import httpx
import mlflow
import pandas as pd

from benchmarks.arrivals import ArrivalProcess
from benchmarks.cost.bursts import send
from benchmarks.endpoint import low_load
from benchmarks.endpoint.counters.histogram import Histogram
from benchmarks.endpoint.counters.ranking_work import ranking_work
from benchmarks.endpoint.endpoint import Endpoint, choose_that_fit, connect
from benchmarks.endpoint.live_server import serve
from benchmarks.endpoint.plan import PlannedRequest, plan_requests
from benchmarks.endpoint.priorities import Prioritise, fcfs, pars
from benchmarks.replay.own_server import server_settings
from registry.errors import InvalidInput
from registry.tracking import log_parameters
from serving.champion.start import find_champion
from traffic.length_log import LengthLogSource, read_length_log

BURST = ArrivalProcess(kind="burst")
QUANTILES = (0.5, 0.99)
HISTOGRAMS: dict[str, tuple[str, dict[str, str]]] = {
    "instant": ("pars_ranking_seconds", {"tier": "instant"}),
    "encoder": ("pars_ranking_seconds", {"tier": "encoder"}),
    "held": ("pars_ranking_hold_seconds", {}),
}


@dataclass(frozen=True, kw_only=True)
class OverheadConfig(LengthLogSource):
    """What is sent, and to which server."""

    target_llm: str
    """Whose champion ranks."""
    llm: str | None = None
    """Model name or path that the server runs; the server's own default unless given."""
    vllm_args: str | None = None
    """vLLM's flags, as one string; the server's own default unless given."""
    requests: int = 300
    """Requests of one burst."""
    pairs: int = 6
    """Bursts with ranking, each beside one without; the order alternates."""
    rate_per_s: float = 20.0
    """Requests per second of the independent users at whom the ranking time is read; 0 leaves this out."""
    rate_requests: int = 600
    """How many requests they send."""
    low_load_requests: int = 60
    """Requests sent one at a time, each one both ranked and not, whose times to the first token are compared; 0 leaves
    this out."""
    seed: int = 0
    """Draws the prompts, their order and the arrivals."""

    def __post_init__(self) -> None:
        """Refuse what measures nothing."""
        for name in ("requests", "pairs", "rate_requests"):
            if getattr(self, name) < 1:
                raise InvalidInput(f"{name} must be at least 1, but got {getattr(self, name)}.")


@dataclass(frozen=True)
class Overhead:
    """One row a pair of bursts, and what the server says of the ranking."""

    bursts: pd.DataFrame
    """`pair`, output tokens per second `ranked` and `unranked`, and beside them `ranked_cpu_ms` and `unranked_cpu_ms`:
    processor time per request of all of the server but its engine."""
    shares: dict[str, float]
    """Of the ranked bursts' requests: `burst_fail_open_share`, and `burst_instant_share` (by the instant tier)."""
    milliseconds: dict[str, float]
    """At the given rate `instant_p50_ms`, `encoder_p99_ms` (of a tier for a prompt), `held_p99_ms` (of those that were
    held) and so on, and `rate_cpu_ms`, the processor time that ranking adds to a request there; `low_load_ttft_ms` is
    what it adds to the median time to the first token."""

    @property
    def ratios(self) -> "pd.Series[float]":
        """Tokens per second with ranking ÷ without, one a pair."""
        return self.bursts.ranked / self.bursts.unranked

    @property
    def cpu_ms(self) -> float:
        """Processor time that ranking adds to a request, in milliseconds."""
        return float((self.bursts.ranked_cpu_ms - self.bursts.unranked_cpu_ms).mean())

    @property
    def metrics(self) -> dict[str, float]:
        """All of it as numbers."""
        total = self.bursts.ranked.sum() / self.bursts.unranked.sum()
        spread = {"throughput_ratio_min": float(self.ratios.min()), "throughput_ratio_max": float(self.ratios.max())}
        cpu = {"ranking_cpu_ms": self.cpu_ms}
        return {"throughput_ratio": float(total), **spread, **cpu, **self.shares, **self.milliseconds}

    @property
    def text(self) -> str:
        """All of it, for people."""
        lines = [self.bursts.assign(ratio=self.ratios).to_string(index=False, float_format="{:.3f}".format)]
        lines += [f"{name}: {value:.3f}" for name, value in self.metrics.items()]
        return "\n".join(lines)


def measure_overhead(config: OverheadConfig, server_log: Path) -> Overhead:
    """Start a server, measure, and log to the active MLflow run.

    Raises:
        NoRanker: the target LLM has no ranker.
        ReplayError: the server or a request failed.
    """
    find_champion(config.target_llm)
    test = read_length_log(config).part("test", seed=config.seed)
    log_parameters(config)
    with serve(server_settings(config.target_llm, config.llm, config.vllm_args, patience_s=0.0), server_log) as url:
        endpoint = connect(url)
        chosen = choose_that_fit(endpoint, test, min(config.requests, len(test)))
        prompts, output_tokens = list(chosen.prompts), chosen.output_tokens.astype(int).tolist()

        def plan(arrivals: ArrivalProcess, num_requests: int, seed: int) -> list[PlannedRequest]:
            times = -(-num_requests // len(prompts))
            many = ((prompts * times)[:num_requests], (output_tokens * times)[:num_requests])
            return plan_requests(*many, arrivals, seed, is_reversed=False)

        overhead = _measure(config, endpoint, plan)
    mlflow.log_metrics(overhead.metrics)
    mlflow.log_table(overhead.bursts, "bursts.json")
    return overhead


Plan = Callable[[ArrivalProcess, int, int], list[PlannedRequest]]


def _measure(config: OverheadConfig, endpoint: Endpoint, plan: Plan) -> Overhead:
    for policy in (pars, fcfs):  # a server's first bursts find it cold
        send(endpoint, plan(BURST, config.requests, config.seed), policy, "warm-up")
    before = ranking_work(endpoint)
    bursts = pd.DataFrame([_pair(config, endpoint, plan, pair) for pair in range(config.pairs)])
    after = ranking_work(endpoint)
    milliseconds = _milliseconds(config, endpoint, plan) if config.rate_per_s else {}
    if config.low_load_requests:
        quiet = low_load.measure(endpoint, plan(BURST, config.low_load_requests, config.seed))
        milliseconds["low_load_ttft_ms"] = quiet.ranking_delay_ms
    assert before is not None
    assert after is not None
    work = after - before
    shares = {"burst_fail_open_share": work.fail_open_share, "burst_instant_share": work.instant_share}
    return Overhead(bursts, shares, milliseconds)


def _pair(config: OverheadConfig, endpoint: Endpoint, plan: Plan, pair: int) -> dict[str, float]:
    requests = plan(BURST, config.requests, config.seed + pair)
    ways: list[tuple[str, Prioritise]] = [("ranked", pars), ("unranked", fcfs)]
    row: dict[str, float] = {"pair": pair}
    for name, policy in ways if pair % 2 else reversed(ways):
        sent = send(endpoint, requests, policy, f"{name}, burst {pair + 1} of {config.pairs}")
        row |= {name: sent.tokens_per_s, f"{name}_cpu_ms": 1000 * sent.cpu_s}
    return row


def _milliseconds(config: OverheadConfig, endpoint: Endpoint, plan: Plan) -> dict[str, float]:
    arrivals = ArrivalProcess(kind="poisson", rate_per_s=config.rate_per_s)
    requests, title = plan(arrivals, config.rate_requests, config.seed), f"{config.rate_per_s:g} requests/s"
    unranked = send(endpoint, requests, fcfs, f"{title}, unranked")
    before = _read(endpoint)
    ranked = send(endpoint, requests, pars, f"{title}, ranked")
    after = _read(endpoint)
    seen = {name: after[name] - before[name] for name in HISTOGRAMS}
    read = {
        f"{name}_p{100 * share:g}_ms": 1000 * histogram.quantile(share)
        for name, histogram in seen.items()
        if histogram.total  # where there is room nobody is held, and the encoder reads nothing
        for share in QUANTILES
    }
    e2e_mean_ms = 1000 * mean(answer.e2e_s for answer in ranked.answers)
    return read | {"rate_cpu_ms": 1000 * (ranked.cpu_s - unranked.cpu_s), "e2e_mean_ms": e2e_mean_ms}


def _read(endpoint: Endpoint) -> dict[str, Histogram]:
    page = httpx.get(f"{endpoint.url}/metrics", timeout=60).raise_for_status().text
    return {name: Histogram.read(page, metric, **labels) for name, (metric, labels) in HISTOGRAMS.items()}
