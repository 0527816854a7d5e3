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

from benchmarks.cost.certainty import certainty, sentences
from benchmarks.cost.designed_bursts import SHORT, DesignedBurst, designed_bursts
from benchmarks.cost.measured_sweep import MeasuredSweep
from benchmarks.cost.step_cost_fit import RankingCost, fit_step_cost
from benchmarks.endpoint import low_load
from benchmarks.endpoint.client import replay
from benchmarks.endpoint.counters.ranking_work import ranking_work
from benchmarks.endpoint.endpoint import Endpoint
from benchmarks.endpoint.plan import PlannedRequest
from benchmarks.endpoint.priorities import Prioritise, fcfs, pars
from benchmarks.replay.config import ReplayConfig
from benchmarks.replay.policy_endpoints import endpoints
from benchmarks.simulation.engine.engine_settings import EngineSettings, engine_of
from registry.tracking import log_parameters
from serving.work.step_cost import StepCost
from terminal.progress import track

WORD = "apple"
"""One token of nearly every tokenizer; how many there really are, the endpoint says."""
FRAMING = 16
"""Tokens of a prompt beside its words: the number that makes it like no other, and what a model adds."""
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
    context_tokens: int = 1024
    """Of the long prompts of the sweep, which tell what tokens in context cost; fewer where the model takes fewer."""
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
    def sweep(self) -> list[DesignedBurst]:
        """What is sent, once."""
        room = self.longest_request - self.output_tokens - FRAMING
        return designed_bursts(self.max_num_seqs, self.output_tokens, max(SHORT, min(self.context_tokens, room)))


def run_engine_measurement(config: EngineMeasurementConfig, server_log: Path) -> str:
    """Measure, fit, log `step_cost.json` and the sweep to the active MLflow run; return what was found as text.

    Raises:
        NoRanker, ReplayError: the server did not start, or a request failed.
    """
    log_parameters(config)
    with endpoints(config.replayed, ("fcfs",), server_log) as served:
        measured, ranking = measure(config, served.any)
        name = config.name or served.any.model
    sweep = MeasuredSweep(measured, config.engine)
    on = f"{name} on {_machine()}, {config.max_num_seqs} sequences, measured by measure-engine"
    cost = fit_step_cost(sweep, ranking, on)
    return log(cost, certainty(sweep, cost), sweep)


def measure(config: EngineMeasurementConfig, endpoint: Endpoint) -> tuple[list[pd.DataFrame], RankingCost]:
    """Run the sweep: one table of answers a burst, and what ranking costs."""
    numbers = count()
    bursts = [burst for _ in range(config.repeats) for burst in config.sweep]
    largest = max(config.sweep, key=lambda burst: len(burst.words))
    _send(endpoint, numbers, largest)  # a server's first burst is slow
    measured = [_send(endpoint, numbers, burst) for burst in track(bursts, "sweep", "bursts")]
    return measured, _ranking_cost(endpoint, numbers, config)


def _send(
    endpoint: Endpoint, numbers: "count[int]", burst: DesignedBurst, prioritise: Prioritise = fcfs
) -> pd.DataFrame:
    """One burst. Every prompt begins with another number, so that no prefix is found in the cache."""
    prompts = [f"{next(numbers)} {' '.join([WORD] * words)}" for words in burst.words]
    requests = [PlannedRequest(prompt, burst.output_tokens, 0.0) for prompt in prompts]
    return pd.DataFrame(asyncio.run(replay(endpoint, requests, prioritise))).assign(kind=burst.kind)


def _ranking_cost(endpoint: Endpoint, numbers: "count[int]", config: EngineMeasurementConfig) -> RankingCost:
    """What the server says that its tiers took for each prompt of bursts, beside what ranking adds to one at a time.

    A request that is alone is not held for the encoder where there is an instant tier, so that tells less than the
    encoder takes. Of a server that tells nothing, what it adds stands for the encoder.
    """
    ranking_s = _ranking_s(endpoint, numbers)
    before = ranking_work(endpoint)
    burst = DesignedBurst("decode", (SHORT,) * 2 * config.max_num_seqs, config.output_tokens)
    for _ in range(config.repeats):
        _send(endpoint, numbers, burst, pars)
    after = ranking_work(endpoint)
    if before is None or after is None:
        return RankingCost(ranking_s, ranking_s)
    work = after - before
    scoring_s = work.scoring_ms / 1000 or ranking_s
    instant_s = work.instant_ms / 1000 if work.placed_at_once else StepCost.instant_s
    return RankingCost(max(ranking_s, scoring_s), scoring_s, instant_s)


def _ranking_s(endpoint: Endpoint, numbers: "count[int]") -> float:
    """What ranking adds to the time to the first token with one request at a time."""
    prompts = [PlannedRequest(f"{next(numbers)} {' '.join([WORD] * SHORT)}", 2, 0.0) for _ in range(RANKED_PROMPTS)]
    return max(0.0, low_load.measure(endpoint, prompts).ranking_delay_ms / 1000)


def _machine() -> str:
    return f"{cpu_count()} CPU cores ({platform.machine()})"


def log(cost: StepCost, known: pd.DataFrame, sweep: MeasuredSweep) -> str:
    """Log `step_cost.json`, the sweep and how surely each coefficient is known to the active run; return it as text."""
    answers = pd.concat([one.assign(run=run) for run, one in enumerate(sweep.bursts)], ignore_index=True)
    with TemporaryDirectory() as folder:
        cost.write(Path(folder))
        answers.to_parquet(Path(folder) / "sweep.parquet", index=False)
        known.to_csv(Path(folder) / "certainty.csv", index_label="coefficient")
        mlflow.log_artifacts(folder)
    mlflow.log_metrics({name: value for name, value in asdict(cost).items() if isinstance(value, float)})
    mlflow.log_metrics({f"{name}.standard_error": value for name, value in known.standard_error.items()})
    path = mlflow.artifacts.download_artifacts(mlflow.get_artifact_uri("step_cost.json"))
    largest = max(len(one) for one in sweep.bursts)
    return "\n".join(
        [
            cost.sentence,
            *sentences(known),
            f"The simulation of the sweep (1 to {largest} requests at once) is off by {cost.relative_error:.1%} in the"
            " median.",
            f"Use it: simulate with cost={path}",
            f"Serve with it, so that this engine's queue is ordered by work: PARS_COST={path}",
        ]
    )
