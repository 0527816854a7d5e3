"""Evidence from the command line: `python -m benchmarks replay|demo --help`."""

import logging
import os
from pathlib import Path
from typing import Annotated

import mlflow
import typer

from benchmarks.client import ReplayError
from benchmarks.config import ReplayConfig
from benchmarks.demo import DemoError, run_demo
from benchmarks.plan import Arrivals
from benchmarks.replay import run_replay
from registry.card import InvalidRanker
from registry.store import RegistryError, configure_tracking
from serving.reload import NoChampion
from training.config import TrainingError

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="What PARS brings, measured.")

DEFAULTS = ReplayConfig
SERVER_LOG = Path(".pars") / "replay-server.log"


@app.command()
def replay(
    lengths: Annotated[Path, typer.Option(help="Length log; its test rows are replayed.")],
    target_llm: Annotated[str, typer.Option(help="Whose champion ranks.")],
    prompt_column: Annotated[str, typer.Option(help="Column of the prompts.")] = DEFAULTS.prompt_column,
    length_column: Annotated[str, typer.Option(help="Column of the lengths, in tokens.")] = DEFAULTS.length_column,
    model: Annotated[str, typer.Option(help="Only the rows of this model.")] = "",
    group_column: Annotated[str, typer.Option(help="Column whose values are split as a whole.")] = "",
    llm: Annotated[str, typer.Option(help="Model name or path to serve; the server's default unless given.")] = "",
    vllm_args: Annotated[str, typer.Option(help="vLLM's flags; the server's default unless given.")] = "",
    policies: Annotated[str, typer.Option(help="Comma-separated, fcfs among them.")] = DEFAULTS.policies,
    requests: Annotated[int, typer.Option(help="Requests of one replay.")] = DEFAULTS.requests,
    arrivals: Annotated[Arrivals, typer.Option(help="burst or poisson.")] = DEFAULTS.arrivals,
    rate_per_s: Annotated[float, typer.Option(help="Requests per second of Poisson arrivals.")] = DEFAULTS.rate_per_s,
    repeats: Annotated[int, typer.Option(help="Replays of each policy; even.")] = DEFAULTS.repeats,
    low_load_requests: Annotated[
        int, typer.Option(help="Requests sent one at a time, to see what ranking costs; 0: none.")
    ] = DEFAULTS.low_load_requests,
    control: Annotated[str, typer.Option(help="A ranker trained on shuffled labels; trained now unless given.")] = "",
    control_prompts: Annotated[
        int, typer.Option(help="Training prompts of the control ranker.")
    ] = DEFAULTS.control_prompts,
    ranking_backlog_ms: Annotated[
        float, typer.Option(help="The server's limit of holding a request for its ranking while the engine is full.")
    ] = DEFAULTS.ranking_backlog_ms,
    patience_s: Annotated[float, typer.Option(help="The server's patience.")] = DEFAULTS.patience_s,
    seed: Annotated[int, typer.Option(help="Draws the prompts, their order and the arrivals.")] = DEFAULTS.seed,
) -> None:
    """Replay recorded traffic through the real server under FCFS, PARS, the oracle and a control."""
    config = ReplayConfig(
        lengths=lengths,
        target_llm=target_llm,
        prompt_column=prompt_column,
        length_column=length_column,
        model=model or None,
        group_column=group_column or None,
        llm=llm or None,
        vllm_args=vllm_args or None,
        policies=policies,
        requests=requests,
        arrivals=arrivals,
        rate_per_s=rate_per_s,
        repeats=repeats,
        low_load_requests=low_load_requests,
        control=control or None,
        control_prompts=control_prompts,
        ranking_backlog_ms=ranking_backlog_ms,
        patience_s=patience_s,
        seed=seed,
    )
    SERVER_LOG.parent.mkdir(exist_ok=True)
    with mlflow.start_run(run_name=f"replay-{target_llm}"):
        typer.echo(run_replay(config, SERVER_LOG))
    typer.echo("Look at it: mlflow ui --backend-store-uri " + mlflow.get_tracking_uri())


@app.command()
def demo() -> None:
    """The whole life on embedded data: train, promote, serve, replay. Takes some ten minutes on two cores."""
    run_demo()


def main() -> None:
    """Run the command line; a user's mistake ends in one sentence and exit code 1."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each request
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before torch loads: its threads share cores with an engine
    configure_tracking()
    try:
        app()
    except (DemoError, ReplayError, RegistryError, NoChampion, InvalidRanker, TrainingError, ValueError) as error:
        typer.echo(f"Error: {error}", err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
