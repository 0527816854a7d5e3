"""Cross-validation: how well a ranker does on a log that is too small for one test split to tell."""

import logging
from itertools import product
from typing import Any

import mlflow
import numpy as np
import pandas as pd

from registry.order.static_gain import STATIC_GAINS
from registry.runs.retrying import logged_or_lost
from registry.runs.stored_run import stored_run
from registry.tracking import log_parameters
from traffic.grouping import unseen_part
from traffic.labelled_prompts import LabelledPrompts, require_two_lengths
from traffic.length_log import LengthLog, read_length_log
from traffic.split import hash_of
from training.experiments.config import CrossValidationConfig
from training.fitting.fit import fit
from training.fitting.warm_start import grouping_of_start, with_fetched_start
from training.judging.baselines.baselines import Baseline
from training.judging.ranking_metrics import KENDALL_TAU_B, order_metrics
from training.network.network_scores import network_scores

logger = logging.getLogger(__name__)

NOTES_FILE = "notes.txt"
FOLDS_TABLE = "folds.json"
RANKER = "ranker"
"""What the trained ranker is called beside the baselines."""
CURVE_PROMPTS = 100
"""Prompts of a fold's validation curve; they are training prompts, since nothing is chosen by it."""


def cross_validate(config: CrossValidationConfig) -> pd.DataFrame:
    """Train on all folds but one and test on that one, for each fold and repeat; nothing is registered.

    All labelled prompts take part, whatever split they belong to; prompts of one group (`group_column`) stand in one
    fold. So `init_from` must not have been trained on these prompts, for another target LLM either. The scores are
    those of the float network, or of the baselines.

    Returns and logs one row a ranker (the trained one is called `ranker`): the means over all folds of `kendall_tau_b`
    and both static gains, and of each the standard deviation (`_std`), least (`_min`) and greatest (`_max`) value over
    the repeats, of which each is a mean over its folds.

    Raises:
        InvalidInput, RegistryError, InvalidRanker: the log, a setting, a baseline or `init_from` cannot be used.
    """
    for name in config.baselines:
        Baseline(name)  # one that is not there fails here, before any training
    with stored_run(f"cross-validate {config.target_llm}"):
        log = read_length_log(config)
        log_parameters(config)
        mlflow.log_params({"data_digest": log.digest, "used_prompts": len(log)})
        notes = unseen_part(config, log, grouping_of_start(config), split=None).notes
        if notes:
            mlflow.log_text("".join(f"{note}\n" for note in notes), NOTES_FILE)
        started = with_fetched_start(config)
        rows: list[dict[str, Any]] = []
        for number, (repeat, fold) in enumerate(product(range(config.repeats), range(config.folds))):
            metrics = _metrics_of_fold(started, log, repeat, fold)
            taus = {f"fold/{ranker}": one[KENDALL_TAU_B] for ranker, one in metrics.items()}
            logged_or_lost(mlflow.log_metrics, taus, step=number)
            rows += [{"repeat": repeat, "fold": fold, "ranker": ranker, **one} for ranker, one in metrics.items()]
        folds = pd.DataFrame(rows)
        mlflow.log_table(folds.astype(object), FOLDS_TABLE)  # MLflow 3.17 trips over the str columns of pandas 3
        summary = _summary(folds)
        for ranker, row in summary.iterrows():
            prefix = "" if ranker == RANKER else f"{ranker}/"
            mlflow.log_metrics({f"{prefix}{metric}": float(value) for metric, value in row.items()})
    return summary


def _metrics_of_fold(
    config: CrossValidationConfig, log: LengthLog, repeat: int, fold: int
) -> dict[str, dict[str, float]]:
    """Tau-b and static gains of each ranker on the fold."""
    seed = config.seed + repeat
    train, test = _parts(config, log, seed, fold)
    network, tokenizer = fit(config.with_values({"seed": seed}), train, train.first(CURVE_PROMPTS))
    scores = {RANKER: network_scores(config, network, tokenizer, test.views)}
    scores |= {name: Baseline(name, seed).fit(train).score_all(test.views) for name in config.baselines}
    metrics = {name: order_metrics(one, test.output_tokens, test.is_censored) for name, one in scores.items()}
    told = ", ".join(f"{name} {one[KENDALL_TAU_B]:.3f}" for name, one in metrics.items())
    logger.info("repeat %d, fold %d: tau on %d prompts: %s", repeat, fold, len(test), told)
    return metrics


def _parts(
    config: CrossValidationConfig, log: LengthLog, seed: int, fold: int
) -> tuple[LabelledPrompts, LabelledPrompts]:
    folds = np.array([hash_of(group, seed) % config.folds for group in log.groups])
    train, test = (log.take(np.flatnonzero(chosen).tolist()) for chosen in (folds != fold, folds == fold))
    train, test = require_two_lengths(train, "train"), require_two_lengths(test, "test")
    drawn = train.take(sorted(range(len(train)), key=lambda index: hash_of(train.prompts[index], seed)))
    return drawn.first(config.max_prompts), test


def _summary(folds: pd.DataFrame) -> pd.DataFrame:
    metrics = [KENDALL_TAU_B, *STATIC_GAINS]
    repeats = folds.groupby(["ranker", "repeat"], sort=False)[metrics].mean().groupby("ranker", sort=False)
    whole = folds.groupby("ranker", sort=False)[metrics].mean()
    spread = {"_std": repeats.std(ddof=1).fillna(0.0), "_min": repeats.min(), "_max": repeats.max()}  # of one no std
    return whole.join([one.add_suffix(suffix) for suffix, one in spread.items()])
