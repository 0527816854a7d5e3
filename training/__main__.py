"""Train and evaluate rankers: `python -m training --help`."""

import logging
import os
from pathlib import Path
from typing import Annotated

import typer

from registry import store
from registry.card import InvalidRanker
from training.config import TrainingConfig, TrainingError
from training.evaluate import EvaluationConfig, evaluate

app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_enable=False, help="How a ranker of answer lengths is made and measured."
)


def _whole_number(text: str | int) -> int | None:
    """An option that `mlflow run` leaves empty is not given."""
    if text == "":
        return None
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a whole number.") from None


Lengths = Annotated[
    Path, typer.Option(help="Length log: parquet or JSON Lines, one row per answer, with `prompt` (or `messages`).")
]
PromptColumn = Annotated[str, typer.Option(help="Column of the prompt: text, or a list of chat messages.")]
LengthColumn = Annotated[str, typer.Option(help="Column of the answer's length, in tokens of the target LLM.")]
Model = Annotated[str, typer.Option(help="Of a log of several models, the one to learn (column `model`).")]
GroupColumn = Annotated[str, typer.Option(help="Column of a task or template that must not stand in two splits.")]
MaxPrompts = Annotated[int | None, typer.Option(parser=_whole_number, metavar="N", help="At most so many prompts.")]
Seed = Annotated[int, typer.Option(help="Draws prompts, batches, the head and the trials. The split is not drawn.")]
TargetLLM = Annotated[
    str, typer.Option(help="Exact name of the LLM whose answers these are, as the server will name it.")
]


@app.command()
def train(
    lengths: Lengths,
    target_llm: TargetLLM,
    prompt_column: PromptColumn = TrainingConfig.prompt_column,
    length_column: LengthColumn = TrainingConfig.length_column,
    model: Model = "",
    group_column: GroupColumn = "",
    max_prompts: MaxPrompts = TrainingConfig.max_prompts,
    trials: Annotated[
        int, typer.Option(help="Trials of the study; 0 trains with the defaults.")
    ] = TrainingConfig.trials,
    encoder: Annotated[str, typer.Option(help="Hugging Face name or folder.")] = TrainingConfig.encoder,
    seed: Seed = TrainingConfig.seed,
    shuffle_labels: Annotated[
        bool, typer.Option("--shuffle-labels", help="Train a control on shuffled lengths, as TARGET_LLM-control.")
    ] = TrainingConfig.shuffle_labels,
) -> None:
    """Tune, train, calibrate, test and register a ranker; everything is logged to MLflow.

    Prompts are split by their hash: 80 % train, 10 % validate, 10 % test. --max-prompts counts the training ones.
    """
    from training.train import train as train_ranker  # Lightning takes seconds to import: not for --help

    config = TrainingConfig(
        lengths=lengths,
        target_llm=target_llm,
        prompt_column=prompt_column,
        length_column=length_column,
        model=model or None,
        group_column=group_column or None,
        max_prompts=max_prompts,
        trials=trials,
        encoder=encoder,
        seed=seed,
        shuffle_labels=shuffle_labels,
    )
    trained = train_ranker(config)
    typer.echo(f"{trained.name} version {trained.version} is registered: {_metrics_text(trained.metrics)}")
    typer.echo(f"Serve it from now on: python -m registry promote --target-llm {config.ranker_target_llm!r}")


@app.command("evaluate")
def evaluate_command(
    rankers: Annotated[
        str, typer.Option(help="models:/pars-NAME@champion, models:/pars-NAME/3 or folders, by commas.")
    ],
    lengths: Lengths,
    prompt_column: PromptColumn = EvaluationConfig.prompt_column,
    length_column: LengthColumn = EvaluationConfig.length_column,
    model: Model = "",
    group_column: GroupColumn = "",
    max_prompts: MaxPrompts = EvaluationConfig.max_prompts,
    seed: Seed = EvaluationConfig.seed,
) -> None:
    """Print and log how well registered rankers order the test prompts of a length log."""
    config = EvaluationConfig(
        rankers=tuple(uri.strip() for uri in rankers.split(",") if uri.strip()),
        lengths=lengths,
        prompt_column=prompt_column,
        length_column=length_column,
        model=model or None,
        group_column=group_column or None,
        max_prompts=max_prompts,
        seed=seed,
    )
    for uri, metrics in evaluate(config).items():
        typer.echo(f"{uri}: {_metrics_text(metrics)}")


@app.command()
def workload(
    out: Annotated[Path, typer.Option(help="JSON Lines file to write.")],
    prompts: Annotated[int, typer.Option(help="How many distinct prompts.")] = 2000,
    seed: Annotated[int, typer.Option(help="Draws the prompts and their lengths.")] = 0,
) -> None:
    """Write the embedded workload: prompts of many kinds whose lengths follow a stated law with noise."""
    from training.workload import write_workload

    write_workload(out, prompts, seed)
    typer.echo(f"{prompts} prompts in {out}")


def _metrics_text(metrics: dict[str, float]) -> str:
    return (
        f"kendall_tau_b {metrics['kendall_tau_b']:.3f} (95 % interval {metrics['kendall_tau_b_low']:.3f} to"
        f" {metrics['kendall_tau_b_high']:.3f}), pair_accuracy {metrics['pair_accuracy']:.3f}"
        f" on {metrics['test_prompts']:.0f} test prompts (the rows of the log's test split)"
    )


def main() -> None:
    """Run the command line; a user's mistake ends in one sentence and exit code 1."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    # torch's threads spin while they wait; beside any other busy process that made training 8 times as slow.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    store.configure_tracking()
    try:
        app()
    except (TrainingError, InvalidRanker, store.RegistryError) as error:
        typer.echo(f"Error: {error}", err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
