"""Measures what a step of a live engine costs: a short sweep over batch sizes and prompt lengths, then a fit."""

import asyncio
import platform
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow
import pandas as pd
from joblib import cpu_count
from tqdm import tqdm

from benchmarks.cost.step_cost_fit import RankingCost, fit_step_cost
from benchmarks.endpoint import low_load
from benchmarks.endpoint.client import replay
from benchmarks.endpoint.counters.ranking_work import ranking_work
from benchmarks.endpoint.endpoint import Endpoint
from benchmarks.endpoint.plan import PlannedRequest
from benchmarks.endpoint.priorities import Prioritise, fcfs, pars
from benchmarks.replay.config import ReplayConfig
from benchmarks.replay.policy_endpoints import endpoints
from benchmarks.simulation.engine_settings import EngineSettings, engine_of
from benchmarks.simulation.step_cost import StepCost
from registry.tracking import log_parameters

WORD = "apple"
"""One token of nearly every tokenizer; how many there really are, the endpoint says."""
SHORT, LONG = 16, 256
"""Words of a prompt."""
RANKED_PROMPTS = 40


@dataclass(frozen=True, kw_only=True)
class EngineMeasurementConfig(EngineSettings):
    """Which engine is measured. The engine's flags must be those that `vllm_args` gives it."""

    target_llm: str
    """Whose champion ranks on the server that is started."""
    llm: str | None = None
    """Model name or path that the server runs; the server's own default unless given."""
    vllm_args: str | None = None
    """vLLM's flags, as one string; the server's own default unless given."""
    url: str | None = None
    """Address of an OpenAI-compatible endpoint that is running and trusts a client's priority; a server is started
    unless given."""
    output_tokens: int = 48
    """Of each answer in the sweep."""
    repeats: int = 3
    """How often the sweep is run."""
    name: str = ""
    """How the model and the machine shall be called in what is stored."""

    @property
    def engine(self) -> EngineSettings:
        """The engine alone."""
        return engine_of(self)

    @property
    def replayed(self) -> ReplayConfig:
        """The server that a replay would start."""
        return ReplayConfig(
            lengths=Path("none"),  # the sweep makes its own prompts
            target_llm=self.target_llm,
            llm=self.llm,
            vllm_args=self.vllm_args,
            url=self.url,
            trust_priority="on" if self.url else "off",
        )

    @property
    def sweep(self) -> list[tuple[int, int, int]]:
        """Requests at once, words of a prompt, tokens of an answer."""
        sizes = [2**power for power in range(self.max_num_seqs.bit_length()) if 2**power < self.max_num_seqs]
        sizes += [self.max_num_seqs, 2 * self.max_num_seqs]
        decoding = [(size, SHORT, self.output_tokens) for size in sizes]
        return [*decoding, *((size, LONG, 2) for size in sizes[: max(2, len(sizes) - 1)])]


def run_engine_measurement(config: EngineMeasurementConfig, server_log: Path) -> str:
    """Measure, fit, log `step_cost.json` and the sweep to the active MLflow run; return what was found as text.

    Raises:
        NoRanker, ReplayError: the server did not start, or a request failed.
    """
    log_parameters(config)
    with endpoints(config.replayed, ("fcfs",), server_log) as served:
        measured, ranking = measure(config, served.any)
        name = config.name or served.any.model
    cost = fit_step_cost(measured, config.engine, ranking, f"{name} on {_machine()}, {config.max_num_seqs} sequences")
    return _log(cost, pd.concat([one.assign(run=run) for run, one in enumerate(measured)], ignore_index=True))


def measure(config: EngineMeasurementConfig, endpoint: Endpoint) -> tuple[list[pd.DataFrame], RankingCost]:
    """Run the sweep: one table of answers a burst, and what ranking costs."""
    numbers = count()
    _send(endpoint, numbers, (config.max_num_seqs, SHORT, config.output_tokens))  # a server's first burst is slow
    points = [point for _ in range(config.repeats) for point in config.sweep]
    measured = [_send(endpoint, numbers, point) for point in tqdm(points, desc="sweep", unit="run", mininterval=1)]
    ranking_s = _ranking_s(endpoint, numbers)
    return measured, RankingCost(ranking_s, _scoring_s(endpoint, numbers, config) or ranking_s)


def _send(
    endpoint: Endpoint, numbers: "count[int]", point: tuple[int, int, int], prioritise: Prioritise = fcfs
) -> pd.DataFrame:
    """One burst. Every prompt begins with another number, so that no prefix is found in the cache."""
    size, words, tokens = point
    requests = [PlannedRequest(f"{next(numbers)} {' '.join([WORD] * words)}", tokens, 0.0) for _ in range(size)]
    return pd.DataFrame(asyncio.run(replay(endpoint, requests, prioritise)))


def _scoring_s(endpoint: Endpoint, numbers: "count[int]", config: EngineMeasurementConfig) -> float | None:
    """What the server says that its ranker took for each prompt of bursts; None where it says nothing."""
    before = ranking_work(endpoint)
    for _ in range(config.repeats):
        _send(endpoint, numbers, (2 * config.max_num_seqs, SHORT, config.output_tokens), pars)
    after = ranking_work(endpoint)
    return (after - before).scoring_ms / 1000 if before and after else None


def _ranking_s(endpoint: Endpoint, numbers: "count[int]") -> float:
    """What ranking adds to the time to the first token with one request at a time."""
    prompts = [PlannedRequest(f"{next(numbers)} {' '.join([WORD] * SHORT)}", 2, 0.0) for _ in range(RANKED_PROMPTS)]
    return max(0.0, low_load.measure(endpoint, prompts).ranking_delay_ms / 1000)


def _machine() -> str:
    return f"{cpu_count()} CPU cores ({platform.machine()})"


def _log(cost: StepCost, answers: pd.DataFrame) -> str:
    with TemporaryDirectory() as folder:
        cost.write(Path(folder))
        answers.to_parquet(Path(folder) / "sweep.parquet", index=False)
        mlflow.log_artifacts(folder)
    mlflow.log_metrics({name: value for name, value in asdict(cost).items() if isinstance(value, float)})
    largest = answers.groupby("run").size().max()
    path = mlflow.artifacts.download_artifacts(mlflow.get_artifact_uri("step_cost.json"))
    return (
        f"{cost.sentence}\nThe simulation of the sweep (1 to {largest} requests at once) is off by"
        f" {cost.relative_error:.1%} in the median.\nUse it: simulate with cost={path}"
    )
