"""Ablation: the same training with each loss and each least length difference, over several seeds."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import mlflow
import numpy as np
import pandas as pd

from charts.chart import DotChart, Dots
from charts.picture import svg
from registry.order.static_gain import STATIC_GAINS
from registry.runs.retrying import logged_or_lost, nested_run
from registry.runs.stored_run import stored_run
from registry.tracking import log_parameters
from terminal.progress import track
from traffic.grouping import unseen_part
from traffic.labelled_prompts import LabelledPrompts, require_two_lengths
from traffic.length_log import LengthLog, read_length_log
from training.config import TrainingConfig
from training.experiments.config import AblationConfig
from training.fitting.fit import fit
from training.fitting.losses import PAIRWISE_LOSSES, make_loss
from training.fitting.warm_start import grouping_of_start, with_fetched_start
from training.judging.ranking_metrics import KENDALL_TAU_B, order_metrics
from training.network.network_scores import network_scores

logger = logging.getLogger(__name__)

RUNS_TABLE = "ablation/runs.json"
SUMMARY_TABLE = "ablation/summary.json"
PLOTS_FOLDER = "ablation"


@dataclass(frozen=True)
class Variant:
    """What is varied."""

    loss: str
    min_length_difference: float | None
    """None for a loss that knows no pairs."""

    def __str__(self) -> str:
        pairs = "" if self.min_length_difference is None else f", pairs from {self.min_length_difference:.0%}"
        return f"{self.loss}{pairs}"

    def applied_to(self, config: TrainingConfig) -> TrainingConfig:
        """A plain training with the variant's settings."""
        values = {name: getattr(config, name) for name in TrainingConfig.__dataclass_fields__} | {"loss": self.loss}
        if self.min_length_difference is not None:
            values["min_length_difference"] = self.min_length_difference
        return TrainingConfig(**values)


def ablate(config: AblationConfig) -> pd.DataFrame:
    """Train each variant with each seed and test it on the same test prompts; nothing is registered.

    All else is equal: learning rate, margin and epochs are the config's, tuned for none of the variants. The scores
    are those of the float network. One nested MLflow run a training. Returns, and logs, one row a variant, the best
    first: `variant`, `loss`, `min_length_difference`, the `mean`, `std`, `min` and `max` of tau-b over the seeds, and
    the means of both static gains.

    Raises:
        InvalidInput, RegistryError, InvalidRanker: the log, a setting or `init_from` cannot be used.
    """
    trainings = [
        (variant, seed) for seed in range(config.seed, config.seed + config.seeds) for variant in variants(config)
    ]
    for variant, _ in trainings:
        make_loss(variant.applied_to(config))  # one that cannot be had fails here, not after an hour
    with stored_run(f"ablation {config.target_llm}"):
        log = read_length_log(config)
        tested = unseen_part(
            config, log, grouping_of_start(config), at_most=config.test_prompts or None, seed=config.seed
        )
        test = require_two_lengths(tested.prompts, "test", tested.notes)
        log_parameters(config)
        mlflow.log_params({"data_digest": log.digest, "used_test_prompts": len(test)})
        started = with_fetched_start(config)
        rows = []
        for variant, seed in track(trainings, "ablation", "trainings"):
            metrics = _metrics_of(variant.applied_to(started).with_values({"seed": seed}), variant, log, test)
            rows.append({"variant": str(variant), **vars(variant), "seed": seed, **metrics})
        runs = pd.DataFrame(rows)
        summary = _summary(runs)
        for table, path in ((runs, RUNS_TABLE), (summary, SUMMARY_TABLE)):
            mlflow.log_table(table.astype(object), path)  # MLflow 3.17 trips over the str columns of pandas 3
        for metric in (KENDALL_TAU_B, *STATIC_GAINS):
            mlflow.log_text(svg(by_variant(runs, list(summary.variant), metric)), f"{PLOTS_FOLDER}/{metric}.svg")
    return summary


def variants(config: AblationConfig) -> Iterator[Variant]:
    """Each pairwise loss with each least length difference, and each other loss once."""
    for loss in config.losses:
        for least in config.min_length_differences if loss in PAIRWISE_LOSSES else (None,):
            yield Variant(loss, least)


def by_variant(runs: pd.DataFrame, variants: Sequence[str], metric: str) -> DotChart:
    """A metric of each training as a dot, and each variant's mean, the first variant on top."""
    values = {variant: runs[metric][runs.variant == variant].tolist() for variant in variants}
    means = ", ".join(f"{variant} {np.mean(several):.3f}" for variant, several in values.items())
    return DotChart(
        title="Ablation: loss, and the pairs that count",
        value_label=f"{metric} on test prompts (a dot a training, a stroke at the mean)",
        rows=tuple(Dots(variant, several) for variant, several in values.items()),
        says=f"Mean {metric} over seeds: {means}.",
    )


def _metrics_of(config: TrainingConfig, variant: Variant, log: LengthLog, test: LabelledPrompts) -> dict[str, float]:
    train = require_two_lengths(log.part("train", config.max_prompts, config.seed), "train")
    validation = require_two_lengths(log.part("validation", config.validation_prompts, config.seed), "validation")
    with nested_run(f"{variant}, seed {config.seed}") as run:
        if run:
            logged_or_lost(log_parameters, config)
        network, tokenizer = fit(config, train, validation)
        scores = network_scores(config, network, tokenizer, test.views)
        metrics = order_metrics(scores, test.output_tokens, test.is_censored)
        if run:
            logged_or_lost(mlflow.log_metrics, metrics)
    logger.info("%s, seed %d: tau %.4f", variant, config.seed, metrics[KENDALL_TAU_B])
    return metrics


def _summary(runs: pd.DataFrame) -> pd.DataFrame:
    by_variant = runs.groupby(["variant", "loss", "min_length_difference"], dropna=False)
    taus = by_variant[KENDALL_TAU_B].agg(["mean", "std", "min", "max"])
    return taus.join(by_variant[list(STATIC_GAINS)].mean()).sort_values("mean", ascending=False).reset_index()
