"""Commands that train and judge rankers, and what they print."""

from registry.order.static_gain import STATIC_GAIN_E2E, STATIC_GAIN_S_PER_TOKEN, STATIC_GAINS
from training.config import TrainingConfig
from training.experiments.config import AblationConfig, CrossValidationConfig
from training.judging.config import EvaluationConfig
from training.judging.evaluate import evaluate as evaluate_rankers
from training.judging.target_llm import TestedPart

# Lightning takes seconds to import, so what fits a network is imported by the commands that do.


def train(config: TrainingConfig) -> str:
    """Train and register a ranker, or one of each of several target LLMs."""
    if config.models:
        return _train_several(config)
    from training.train import train as train_ranker

    trained = train_ranker(config)
    return (
        f"{trained.name} version {trained.version} is registered: {_metrics_text(trained.metrics)}"
        f"{_instant_text(trained.metrics)}\n"
        f"Judge it and make it the champion: pars promote --target-llm {config.ranker_target_llm!r}"
    )


def _train_several(config: TrainingConfig) -> str:
    from training.several.train_several import train_several

    return "\n".join(
        f"{one.name} version {one.version} is registered: {_metrics_text(one.metrics)}{_instant_text(one.metrics)}"
        for one in train_several(config)
    )


def work_on_study(config: TrainingConfig) -> str:
    """Run trials of a shared study."""
    from training.train import work_on_study as work

    work(config)
    return f"All {config.trials} trials of the study are done."


def evaluate(config: EvaluationConfig) -> str:
    """Judge rankers on test prompts."""
    evaluation = evaluate_rankers(config)
    lines = [
        f"{result.ranker} on {result.model}: {_metrics_text(result.metrics, config.part)}"
        for result in evaluation.results
    ]
    lines += [f"on {model}: {note}" for model, notes in evaluation.notes.items() for note in notes]
    for model, comparisons in evaluation.comparisons.items():
        lines += [f"on {model}: {comparison.sentence}" for comparison in comparisons]
    lines += [f"on {model}: {resampling.sentence}" for model, resampling in evaluation.resampling.items()]
    return "\n".join(lines)


def cross_validate(config: CrossValidationConfig) -> str:
    """Train and test on parts of a log in turn."""
    from training.experiments.cross_validation import cross_validate as validate

    return "\n".join(
        f"{name}: kendall_tau_b {row.kendall_tau_b:.3f}, mean over {config.repeats} x {config.folds} folds;"
        f" standard deviation {row.kendall_tau_b_std:.3f} over repeats ({row.kendall_tau_b_min:.3f} to"
        f" {row.kendall_tau_b_max:.3f}); {_gains_text(row[STATIC_GAIN_S_PER_TOKEN], row[STATIC_GAIN_E2E])}"
        for name, row in validate(config).iterrows()
    )


def ablate(config: AblationConfig) -> str:
    """Compare losses and least length differences."""
    from training.experiments.ablation import ablate as compare_variants

    summary = compare_variants(config)
    shown = summary[["variant", "mean", "std", "min", "max", *STATIC_GAINS]]
    return str(shown.to_string(index=False, float_format="{:.4f}".format))


def _metrics_text(metrics: dict[str, float], part: TestedPart = "test") -> str:
    tested = "test prompts (the rows of the log's test split)" if part == "test" else "prompts (the whole log)"
    return (
        f"kendall_tau_b {metrics['kendall_tau_b']:.3f} (95 % interval {metrics['kendall_tau_b_low']:.3f} to"
        f" {metrics['kendall_tau_b_high']:.3f}), pair_accuracy {metrics['pair_accuracy']:.3f},"
        f" {_gains_text(metrics[STATIC_GAIN_S_PER_TOKEN], metrics[STATIC_GAIN_E2E])},"
        f" on {_count_text(metrics)} {tested}"
    )


def _gains_text(in_s_per_token: float, end_to_end: float) -> str:
    return (
        f"static gain (0: a random order, 1: the oracle's) {in_s_per_token:.3f} in s/token and"
        f" {end_to_end:.3f} end-to-end"
    )


def _instant_text(metrics: dict[str, float]) -> str:
    if "instant_kendall_tau_b" not in metrics:
        return ""
    return f"; its instant tier's kendall_tau_b {metrics['instant_kendall_tau_b']:.3f}"


def _count_text(metrics: dict[str, float]) -> str:
    used, there = metrics["test_prompts"], metrics["test_prompts_in_log"]
    return f"{used:.0f}" if used == there else f"{used:.0f} of {there:.0f}"
