"""Evaluate registered rankers, and baselines beside them, on the test rows of a length log."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import mlflow
import pandas as pd

from charts.picture import svg
from registry import store
from registry.order.certain_pairs import Values
from registry.order.static_gain import STATIC_GAIN_E2E, STATIC_GAIN_S_PER_TOKEN
from registry.runs.stored_run import stored_run
from registry.tracking import log_parameters
from training.judging.config import EvaluationConfig
from training.judging.contenders import Contender, baseline, registered_ranker
from training.judging.heat_map import heat_map
from training.judging.ranking_metrics import KENDALL_TAU_B, ranking_metrics
from training.judging.resampling import Resampling, one_sample_tau_b, resampling_tau_b
from training.judging.statistics.ranker_comparison import Comparison, compare_rankers
from training.judging.target_llm import Target, TestedPart, read_target

RESULTS_TABLE = "evaluation/kendall_tau_b.json"
HEAT_MAPS = {
    KENDALL_TAU_B: "Kendall tau-b on test prompts",
    STATIC_GAIN_S_PER_TOKEN: "Share of the oracle's gain in s/token, one request served at a time",
    STATIC_GAIN_E2E: "Share of the oracle's gain in mean end-to-end, one request served at a time",
}
"""Metrics that have one, with its title."""
NOTES_FILE = "evaluation/notes.txt"
COMPARISONS_TABLE = "evaluation/comparisons.json"


@dataclass(frozen=True)
class Result:
    """The metrics of one ranker or baseline on the test prompts of one target LLM."""

    ranker: str
    model: str
    """The target LLM."""
    metrics: dict[str, float]


@dataclass(frozen=True)
class Evaluation:
    """Every ranker on every target LLM, and by the target LLM's name what its prompts say of all rankers."""

    results: list[Result] = field(default_factory=list)
    comparisons: dict[str, list[Comparison]] = field(default_factory=dict)
    """Each two rankers on the same prompts; none for a single ranker."""
    resampling: dict[str, Resampling] = field(default_factory=dict)
    """Only of target LLMs that answered some test prompts more than once."""
    notes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Which rankers' data was grouped otherwise than the prompts: sentences."""


def evaluate(config: EvaluationConfig) -> Evaluation:
    """Measure each ranker on the test prompts of each target LLM, logged to MLflow: one nested run a ranker.

    Raises:
        InvalidInput, RegistryError, InvalidRanker: the log, a ranker or a baseline cannot be used.
    """
    contenders = _contenders(config)
    with stored_run("evaluate"):
        grouped_by = {name: one.grouped_by for name, one in contenders.items()}
        targets = [
            read_target(source, config.part, config.max_prompts, config.seed, grouped_by) for source in config.sources
        ]
        log_parameters(config)
        _log_data(targets, config.part)
        evaluation = Evaluation(notes={target.model: target.notes for target in targets if target.notes})
        scores: dict[str, dict[str, Values]] = {target.model: {} for target in targets}
        for name, contender in contenders.items():
            with mlflow.start_run(run_name=name, nested=True):
                mlflow.log_params(contender.params)
                for target in targets:
                    scores[target.model][name] = contender.score(target)
                    metrics = _metrics(scores[target.model][name], target, config.seed)
                    _log_metrics(metrics, target, targets)
                    evaluation.results.append(Result(name, target.model, metrics))
        for target in targets:
            _judge(evaluation, target, scores[target.model], config.seed)
        _log_evaluation(evaluation, targets)
    return evaluation


def _contenders(config: EvaluationConfig) -> dict[str, Contender]:
    loaded = {uri: store.load_ranker(uri) for uri in config.rankers}
    rankers = {
        uri if tier == "encoder" else f"{uri} ({tier})": registered_ranker(uri, ranker, tier)
        for uri, ranker in loaded.items()
        for tier in dict.fromkeys(config.tiers)
    }
    return rankers | {name: baseline(name, config.baseline_prompts, config.seed) for name in config.baselines}


def _log_data(targets: Sequence[Target], part: TestedPart) -> None:
    mlflow.log_params(
        {
            "data_digest": ",".join(target.log.digest for target in targets),
            "split": part,
            "used_test_prompts": ",".join(str(len(target.test)) for target in targets),
            "test_prompts_in_log": ",".join(str(target.prompts_in_log) for target in targets),
        }
    )


def _metrics(scores: Values, target: Target, seed: int) -> dict[str, float]:
    test = target.test
    metrics = ranking_metrics(scores, test.output_tokens, test.is_censored, test.groups, seed)
    metrics["test_prompts_in_log"] = float(target.prompts_in_log)
    if len(target.repeated) > 1:
        by_view = dict(zip(target.test.views, scores.tolist(), strict=True))
        repeated = {view: by_view[view] for view in target.repeated}
        metrics["kendall_tau_b_one_sample"] = one_sample_tau_b(repeated, target.repeated, seed)
    return metrics


def _judge(evaluation: Evaluation, target: Target, scores: Mapping[str, Values], seed: int) -> None:
    """Add what the target's prompts say of all rankers together."""
    test = target.test
    compared = compare_rankers(scores, test.output_tokens, test.is_censored, test.groups, seed)
    evaluation.comparisons[target.model] = compared
    group_of = dict(zip(test.views, test.groups, strict=True))
    groups = [group_of[view] for view in target.repeated]
    resampling = resampling_tau_b(list(target.repeated.values()), groups, seed)
    if resampling is not None:
        evaluation.resampling[target.model] = resampling


def _log_evaluation(evaluation: Evaluation, targets: Sequence[Target]) -> None:
    if evaluation.notes:
        notes = (f"on {model}: {note}\n" for model, several in evaluation.notes.items() for note in several)
        mlflow.log_text("".join(notes), NOTES_FILE)
    if len(evaluation.results) == 1:
        mlflow.log_metrics(evaluation.results[0].metrics)
    for target in targets:
        if target.model in evaluation.resampling:
            _log_metrics(evaluation.resampling[target.model].metrics, target, targets)
    _log_table(({"ranker": one.ranker, "model": one.model, **one.metrics} for one in evaluation.results), RESULTS_TABLE)
    metrics_of = {(one.ranker, one.model): one.metrics for one in evaluation.results}
    for metric, title in HEAT_MAPS.items():
        mlflow.log_text(svg(heat_map(metrics_of, metric, title)), f"evaluation/{metric}.svg")
    comparisons = [
        {"model": model, **asdict(one), "is_real": one.is_real, "sentence": one.sentence}
        for model, several in evaluation.comparisons.items()
        for one in several
    ]
    if comparisons:
        _log_table(comparisons, COMPARISONS_TABLE)


def _log_metrics(metrics: Mapping[str, float], target: Target, targets: Sequence[Target]) -> None:
    """Log metrics by their names, with the target LLM before them where there are several."""
    prefix = f"{target.slug}/" if len(targets) > 1 else ""
    mlflow.log_metrics({f"{prefix}{name}": value for name, value in metrics.items()})


def _log_table(rows: Iterable[dict[str, object]], path: str) -> None:
    # As objects: MLflow 3.17 trips over the str columns of pandas 3.
    mlflow.log_table(pd.DataFrame(rows).astype(object), path)
