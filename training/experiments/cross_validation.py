"""Cross-validation: how well a ranker does on a log that is too small for one test split to tell."""

import logging
from itertools import product

import mlflow
import numpy as np
import pandas as pd

from registry.runs.retrying import logged_or_lost
from registry.runs.stored_run import stored_run
from registry.tracking import log_parameters
from traffic.labelled_prompts import LabelledPrompts, require_two_lengths
from traffic.length_log import LengthLog, read_length_log
from traffic.split import hash_of
from training.experiments.config import CrossValidationConfig
from training.experiments.network_scores import network_scores
from training.fitting.fit import fit
from training.fitting.warm_start import with_fetched_start
from training.judging.baselines import Baseline
from training.judging.ranking_metrics import kendall_tau_b

logger = logging.getLogger(__name__)

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

    Returns and logs one row a ranker (the trained one is called `ranker`): the mean of `kendall_tau_b` over all folds,
    and its standard deviation (`_std`), least (`_min`) and greatest (`_max`) value over the repeats, of which each is
    a mean over its folds.

    Raises:
        InvalidInput, RegistryError, InvalidRanker: the log, a setting, a baseline or `init_from` cannot be used.
    """
    for name in config.baselines:
        Baseline(name)  # one that is not there fails here, before any training
    with stored_run(f"cross-validate {config.target_llm}"):
        log = read_length_log(config)
        log_parameters(config)
        mlflow.log_params({"data_digest": log.digest, "used_prompts": len(log)})
        started = with_fetched_start(config)
        rows: list[dict[str, float]] = []
        for repeat, fold in product(range(config.repeats), range(config.folds)):
            taus = _taus_of_fold(started, log, repeat, fold)
            logged_or_lost(mlflow.log_metrics, {f"fold/{name}": tau for name, tau in taus.items()}, step=len(rows))
            rows.append({"repeat": repeat, "fold": fold, **taus})
        mlflow.log_table(pd.DataFrame(rows), FOLDS_TABLE)
        summary = _summary(pd.DataFrame(rows))
        for ranker, row in summary.iterrows():
            prefix = "" if ranker == RANKER else f"{ranker}/"
            mlflow.log_metrics({f"{prefix}{metric}": float(value) for metric, value in row.items()})
    return summary


def _taus_of_fold(config: CrossValidationConfig, log: LengthLog, repeat: int, fold: int) -> dict[str, float]:
    """Tau-b of each ranker on the fold."""
    seed = config.seed + repeat
    train, test = _parts(config, log, seed, fold)
    network, tokenizer = fit(config.with_values({"seed": seed}), train, train.first(CURVE_PROMPTS))
    scores = {RANKER: network_scores(config, network, tokenizer, test)}
    scores |= {name: Baseline(name, seed).fit(train).score_all(test.prompts) for name in config.baselines}
    taus = {name: kendall_tau_b(one, test.output_tokens) for name, one in scores.items()}
    told = ", ".join(f"{name} {tau:.3f}" for name, tau in taus.items())
    logger.info("repeat %d, fold %d: tau on %d prompts: %s", repeat, fold, len(test), told)
    return taus


def _parts(
    config: CrossValidationConfig, log: LengthLog, seed: int, fold: int
) -> tuple[LabelledPrompts, LabelledPrompts]:
    folds = np.array([hash_of(group, seed) % config.folds for group in log.groups])
    train, test = (log.take(np.flatnonzero(chosen).tolist()) for chosen in (folds != fold, folds == fold))
    train, test = require_two_lengths(train, "train"), require_two_lengths(test, "test")
    drawn = train.take(sorted(range(len(train)), key=lambda index: hash_of(train.prompts[index], seed)))
    return drawn.first(config.max_prompts), test


def _summary(folds: pd.DataFrame) -> pd.DataFrame:
    taus = folds.drop(columns=["repeat", "fold"])
    repeats = taus.groupby(folds.repeat).mean()
    return pd.DataFrame(
        {
            "kendall_tau_b": taus.mean(),
            "kendall_tau_b_std": repeats.std(ddof=1).fillna(0.0),  # of one repeat there is none
            "kendall_tau_b_min": repeats.min(),
            "kendall_tau_b_max": repeats.max(),
        }
    )
