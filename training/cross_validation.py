"""Cross-validation: how well a ranker does on a log that is too small for one test split to tell."""

import logging
from itertools import product

import mlflow
import numpy as np
import pandas as pd

from training.config import CrossValidationConfig
from training.fit import fit
from training.length_log import LengthLog, read_length_log, require_two_lengths
from training.metrics import kendall_tau_b
from training.parameters import log_parameters
from training.scoring import network_scores
from training.split import hash_of
from training.warm_start import with_fetched_start

logger = logging.getLogger(__name__)

FOLDS_TABLE = "folds.json"
CURVE_PROMPTS = 100
"""Prompts of a fold's validation curve; they are training prompts, since nothing is chosen by it."""


def cross_validate(config: CrossValidationConfig) -> dict[str, float]:
    """Train on all folds but one and test on that one, for each fold and repeat; nothing is registered.

    All labelled prompts take part, whatever split they belong to; prompts of one group (`group_column`) stand in one
    fold. So `init_from` must not have been trained on these prompts, for another target LLM either. The scores are
    those of the float network. Returns and logs the mean of `kendall_tau_b` over all folds, and its
    standard deviation, least and greatest value over the repeats (of which each is a mean over its folds).

    Raises:
        TrainingError, RegistryError, InvalidRanker: the log, a setting or `init_from` cannot be used.
    """
    with mlflow.start_run(run_name=f"cross-validate {config.target_llm}"):
        log = read_length_log(config)
        log_parameters(config)
        mlflow.log_params({"data_digest": log.digest, "used_prompts": len(log)})
        started = with_fetched_start(config)
        rows: list[dict[str, float]] = []
        for repeat, fold in product(range(config.repeats), range(config.folds)):
            tau = _tau_of_fold(started, log, repeat, fold)
            mlflow.log_metric("fold_kendall_tau_b", tau, step=len(rows))
            rows.append({"repeat": repeat, "fold": fold, "kendall_tau_b": tau})
        mlflow.log_table(pd.DataFrame(rows), FOLDS_TABLE)
        metrics = _summary(pd.DataFrame(rows))
        mlflow.log_metrics(metrics)
    return metrics


def _tau_of_fold(config: CrossValidationConfig, log: LengthLog, repeat: int, fold: int) -> float:
    seed = config.seed + repeat
    folds = np.array([hash_of(group, seed) % config.folds for group in log.groups])
    train, test = (log.take(np.flatnonzero(chosen).tolist()) for chosen in (folds != fold, folds == fold))
    train, test = require_two_lengths(train, "train"), require_two_lengths(test, "test")
    train = train.take(sorted(range(len(train)), key=lambda index: hash_of(train.prompts[index], seed)))
    train = train.first(config.max_prompts)
    network, tokenizer = fit(config.with_values({"seed": seed}), train, train.first(CURVE_PROMPTS))
    tau = kendall_tau_b(network_scores(config, network, tokenizer, test), test.output_tokens)
    logger.info("repeat %d, fold %d: tau %.3f on %d prompts", repeat, fold, tau, len(test))
    return tau


def _summary(folds: pd.DataFrame) -> dict[str, float]:
    repeats = folds.groupby("repeat").kendall_tau_b.mean()
    return {
        "kendall_tau_b": float(folds.kendall_tau_b.mean()),
        "kendall_tau_b_std": float(repeats.std(ddof=1)) if len(repeats) > 1 else 0.0,
        "kendall_tau_b_min": float(repeats.min()),
        "kendall_tau_b_max": float(repeats.max()),
    }
