"""Commands that measure what ordering brings and costs, each in an MLflow run of its own."""

from pathlib import Path

from benchmarks.cost.journal_cost import JournalCostConfig, measure_journal
from benchmarks.cost.measure_engine import EngineMeasurementConfig, run_engine_measurement
from benchmarks.cost.overhead import OverheadConfig, measure_overhead
from benchmarks.cost.scoring_cost import ScoringConfig, measure_scoring
from benchmarks.cross_check.config import CrossCheckConfig
from benchmarks.cross_check.cross_check import run_cross_check
from benchmarks.replay.config import ReplayConfig
from benchmarks.replay.replay import run_replay
from cli.actions.simulations import with_where_to_look
from registry.runs.stored_run import stored_run

SERVER_LOG = Path(".pars") / "replay-server.log"


def replay(config: ReplayConfig) -> str:
    """Replay a log through real servers."""
    with stored_run(f"replay {config.target_llm}"):
        return with_where_to_look(run_replay(config, _server_log()))


def measure_engine(config: EngineMeasurementConfig) -> str:
    """Measure what a step of a live engine costs."""
    with stored_run(f"measure-engine {config.target_llm}"):
        return run_engine_measurement(config, _server_log())


def cross_check(config: CrossCheckConfig) -> str:
    """Hold the replay's client against vLLM's own."""
    with stored_run(f"cross-check {config.target_llm}"):
        return run_cross_check(config, _server_log())


def overhead(config: OverheadConfig) -> str:
    """Measure what ranking costs beside the engine."""
    with stored_run(f"overhead {config.target_llm}"):
        return measure_overhead(config, _server_log()).text


def journal_cost(config: JournalCostConfig) -> str:
    """Measure what the journal costs."""
    with stored_run(f"journal-cost {config.target_llm}"):
        return measure_journal(config, _server_log()).text


def scoring(config: ScoringConfig) -> str:
    """Time a ranker on single prompts."""
    with stored_run("scoring"):
        return measure_scoring(config).sentence


def _server_log() -> Path:
    SERVER_LOG.parent.mkdir(exist_ok=True)
    return SERVER_LOG
