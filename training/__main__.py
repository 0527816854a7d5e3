"""Train and evaluate rankers: `python -m training --help`."""

import logging
import os
from pathlib import Path
from typing import Annotated

import typer

from registry import store
from registry.card import InvalidRanker
from registry.errors import InvalidInput
from registry.tracking import configure_tracking
from training.config import TrainingConfig
from training.experiments.config import AblationConfig, CrossValidationConfig
from training.judging.evaluate import EvaluationConfig, evaluate
from training.judging.target_llm import TestedPart
from training.options import takes

app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_enable=False, help="How a ranker of answer lengths is made and measured."
)


@app.command("train")
@takes(TrainingConfig)
def train_command(config: TrainingConfig) -> None:
    """Tune, train, calibrate, test and register a ranker; everything is logged to MLflow.

    Prompts are split by their hash: 80 % train, 10 % validate, 10 % test. --max-prompts counts the training ones.
    """
    from training.train import train  # Lightning takes seconds to import: not for --help

    trained = train(config)
    typer.echo(f"{trained.name} version {trained.version} is registered: {_metrics_text(trained.metrics)}")
    typer.echo(f"Serve it from now on: python -m registry promote --target-llm {config.ranker_target_llm!r}")


@app.command("study")
@takes(TrainingConfig)
def study_command(config: TrainingConfig) -> None:
    """Work on the study of a training that runs elsewhere, with the same --storage: its trials only, no final fit."""
    from training.train import work_on_study

    work_on_study(config)
    typer.echo(f"All {config.trials} trials of the study are done.")


@app.command("evaluate")
@takes(EvaluationConfig)
def evaluate_command(config: EvaluationConfig) -> None:
    """Print and log how well registered rankers order the test prompts of a length log.

    Several rankers are compared by a paired bootstrap, and --models tests each of them on several target LLMs.
    """
    evaluation = evaluate(config)
    for result in evaluation.results:
        typer.echo(f"{result.ranker} on {result.model}: {_metrics_text(result.metrics, config.part)}")
    for model, comparisons in evaluation.comparisons.items():
        for comparison in comparisons:
            typer.echo(f"on {model}: {comparison.sentence}")
    for model, resampling in evaluation.resampling.items():
        typer.echo(f"on {model}: {resampling.sentence}")


@app.command("cross-validate")
@takes(CrossValidationConfig)
def cross_validate_command(config: CrossValidationConfig) -> None:
    """Train and test on parts of a small log in turn, and say how well a ranker does on it; registers nothing."""
    from training.experiments.cross_validation import cross_validate

    for name, row in cross_validate(config).iterrows():
        typer.echo(
            f"{name}: kendall_tau_b {row.kendall_tau_b:.3f}, mean over {config.repeats} x {config.folds} folds;"
            f" standard deviation {row.kendall_tau_b_std:.3f} over repeats ({row.kendall_tau_b_min:.3f} to"
            f" {row.kendall_tau_b_max:.3f})"
        )


@app.command("ablate")
@takes(AblationConfig)
def ablate_command(config: AblationConfig) -> None:
    """Train with each loss and each --min-length-differences, over several seeds, and say which orders best.

    Registers nothing; the table and a plot are logged to MLflow.
    """
    from training.experiments.ablation import ablate

    summary = ablate(config)
    typer.echo(summary[["variant", "mean", "std", "min", "max"]].to_string(index=False, float_format="{:.4f}".format))


@app.command()
def workload(
    out: Annotated[Path, typer.Option(help="JSON Lines file to write.")],
    prompts: Annotated[int, typer.Option(help="How many distinct prompts.")] = 2000,
    seed: Annotated[int, typer.Option(help="Draws the prompts and their lengths.")] = 0,
) -> None:
    """Write the embedded workload: prompts of many kinds whose lengths follow a stated law with noise."""
    from benchmarks.demo_lengths import write_workload

    write_workload(out, prompts, seed)
    typer.echo(f"{prompts} prompts in {out}")


def _metrics_text(metrics: dict[str, float], part: TestedPart = "test") -> str:
    tested = "test prompts (the rows of the log's test split)" if part == "test" else "prompts (the whole log)"
    return (
        f"kendall_tau_b {metrics['kendall_tau_b']:.3f} (95 % interval {metrics['kendall_tau_b_low']:.3f} to"
        f" {metrics['kendall_tau_b_high']:.3f}), pair_accuracy {metrics['pair_accuracy']:.3f}"
        f" on {metrics['test_prompts']:.0f} {tested}"
    )


def main() -> None:
    """Run the command line; a user's mistake ends in one sentence and exit code 1."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    # torch's threads spin while they wait; beside any other busy process that made training 8 times as slow.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    configure_tracking()
    try:
        app()
    except (InvalidInput, InvalidRanker, store.RegistryError) as error:
        typer.echo(f"Error: {error}", err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
