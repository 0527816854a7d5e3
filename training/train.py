"""From a config to a registered ranker: read, tune, fit, calibrate, export, test, register."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import mlflow
import numpy as np
from lightning.pytorch.callbacks import Callback

from registry import store
from registry.artefact.files import PLOTS_FOLDER, WEIGHTS_FILE, sha256_of
from registry.errors import InvalidInput
from registry.runs.kept_folder import kept_unless_stored
from registry.runs.retrying import logged_or_lost
from registry.runs.stored_run import stored_run
from registry.tracking import log_parameters
from traffic.grouping import unseen_part
from traffic.labelled_prompts import LabelledPrompts, require_two_lengths
from traffic.length_log import LengthLog, read_length_log
from training.artefact import ranker_plots
from training.artefact.export import Fitted, Splits, write_ranker
from training.config import TrainingConfig
from training.distilling.distil import distil
from training.distilling.unlabelled import unlabelled_prompts
from training.fingerprint import settings_of
from training.fitting.checkpoint import claim
from training.fitting.curves import MlflowCurves
from training.fitting.fit import fit
from training.fitting.warm_start import grouping_of_start, with_fetched_start
from training.logged_data import log_data
from training.presets import PRESETS

logger = logging.getLogger(__name__)

DISTIL_S, TRAINING_S = "distil_s", "training_s"
"""Metrics: seconds in which the instant network was taught, and those of the whole training."""


@dataclass(frozen=True)
class TrainedRanker:
    """A registered version and its test metrics."""

    name: str
    version: int
    metrics: dict[str, float]


def train(config: TrainingConfig, tags: Mapping[str, str] = MappingProxyType({})) -> TrainedRanker:
    """Train and register a ranker under an MLflow run, below the active one if there is one; its version has the tags.

    Raises:
        InvalidInput: the length log, the encoder or a setting is wrong; nothing was trained.
        RegistryError: the name belongs to another target LLM.
        MlflowFailure: MLflow fails: before anything was trained, or at the end, when the ranker is kept in a folder.
    """
    start_s = time.monotonic()
    name = store.check_owner(config.ranker_target_llm)  # a name that cannot be fails here, not after the training
    with stored_run(f"train {config.ranker_target_llm}") as run:
        log = read_length_log(config)
        splits = split(config, log)
        started = started_from(config)
        if config.checkpoint is not None:
            claim(config.checkpoint, settings_of(started, log.digest))
        log_parameters(config)
        mlflow.log_params({f"preset_{name}": value for name, value in PRESETS[config.preset].items()})
        log_data(config, log, splits)
        best, log_study = _tune(started, splits)
        curves = MlflowCurves(run.info.run_id)
        fitted = _fit(best, splits, [curves])
        with kept_unless_stored(name) as folder:
            result = write_ranker(folder, best, splits, fitted)
            ranker_plots.write_plots(result, folder / PLOTS_FOLDER)
            version = store.register(folder, config.store_retry_s, tags)
        curves.finish()
        log_study()
        logged_or_lost(mlflow.log_metrics, {DISTIL_S: fitted.distil_s, TRAINING_S: time.monotonic() - start_s})
    return TrainedRanker(name, version, result.metrics)


def work_on_study(config: TrainingConfig) -> None:
    """Run trials of a shared study until all are done; train and register nothing. One MLflow run a worker.

    Raises:
        InvalidInput: there is no storage to share, or the log or a setting is wrong.
    """
    if config.storage is None or config.trials == 0:
        raise InvalidInput(
            f"a worker shares the trials of a study, but storage is {config.storage} and trials {config.trials};"
            " give storage=URL and trials above 0."
        )
    with stored_run(f"study {config.ranker_target_llm}"):
        # No instant network is taught here.
        splits = split(config.with_values({"unlabelled_prompts": 0}), read_length_log(config))
        log_parameters(config)
        _, log_study = _tune(started_from(config), splits)
        log_study()


def train_folder(config: TrainingConfig, folder: Path) -> Path:
    """Train once with the config's own values (no study, no MLflow run, no registration) into `folder`; return it.

    With `shuffle_labels` this is the control of a benchmark.
    """
    splits = split(config, read_length_log(config))
    config = with_fetched_start(config)
    result = write_ranker(folder, config, splits, _fit(config, splits))
    logger.info("ranker in %s: %s", folder, result.metrics)
    return folder


def split(config: TrainingConfig, log: LengthLog) -> Splits:
    """The prompts that train, validate and test. Test prompts keep their true lengths even in a control.

    What the ranker of a warm start was trained on, its data grouped otherwise, tests nothing.
    """
    train_prompts = require_two_lengths(log.part("train", config.max_prompts, config.seed), "train")
    validation = require_two_lengths(log.part("validation", config.validation_prompts, config.seed), "validation")
    started_by = grouping_of_start(config)
    tested = unseen_part(config, log, started_by, at_most=config.test_prompts or None, seed=config.seed)
    test = require_two_lengths(tested.prompts, "test", tested.notes)
    if config.shuffle_labels:
        train_prompts, validation = _shuffled(train_prompts, config.seed), _shuffled(validation, config.seed)
    return Splits(
        train=train_prompts,
        unlabelled=unlabelled_prompts(config, log),
        validation=validation,
        test=test,
        test_prompts_in_log=tested.in_log,
        data_digest=log.digest,
        grouped_by=tuple(dict.fromkeys([log.grouped_by, *(one for each in started_by.values() for one in each)])),
        notes=tested.notes,
    )


def started_from(config: TrainingConfig) -> TrainingConfig:
    """The config with its start fetched; the digest tells which version an alias meant on that day."""
    started = with_fetched_start(config)
    if started.init_from is not None:
        mlflow.log_param("init_from_sha256", sha256_of(Path(started.init_from) / WEIGHTS_FILE))
    return started


def _fit(config: TrainingConfig, splits: Splits, callbacks: Sequence[Callback] = ()) -> Fitted:
    """Fit the encoder, then let it teach the instant network."""
    network, tokenizer = fit(config, splits.train, splits.validation, callbacks)
    start_s = time.monotonic()
    views = [*splits.train.views, *splits.unlabelled]
    instant = distil(config, network, tokenizer, views) if config.distil_epochs else None
    return Fitted(network, tokenizer, instant, time.monotonic() - start_s)


def _tune(config: TrainingConfig, splits: Splits) -> tuple[TrainingConfig, Callable[[], None]]:
    """The config with the best values, and what logs the study: later, for MLflow may be away just then."""
    if config.trials == 0:
        return config, lambda: None
    from training.tuning.tune import log_study, tune  # Optuna is not loaded for nothing

    study = tune(config, splits)
    return config.with_values(study.best_params), lambda: logged_or_lost(log_study, study)


def _shuffled(labelled: LabelledPrompts, seed: int) -> LabelledPrompts:
    dealt = labelled.take(np.random.default_rng(seed).permutation(len(labelled)).tolist())
    return replace(labelled, output_tokens=dealt.output_tokens, is_censored=dealt.is_censored)
