"""The Optuna study: the learning rate and what the loss uses of margin and minimum length difference.

Each trial is a nested MLflow run.

What a study costs, beside the final fit: a trial trains on `trial_prompts` at most and encodes up to
`trial_validation_prompts` at each validation, where a prompt costs about a third of training on it. By that count, with
the defaults and 4,000 training prompts, a trial that runs to its end is about 0.4 of a full fit, and one that is pruned
at its first validation 0.1.
"""

import logging
from collections.abc import Callable
from typing import Any

import lightning
import mlflow
import optuna
from lightning.pytorch.callbacks import Callback

from charts.picture import svg
from registry.runs.retrying import logged_or_lost
from registry.runs.stored_run import end_run
from registry.store import model_name
from training.artefact.export import Splits
from training.config import TrainingConfig
from training.fingerprint import settings_of
from training.fitting.curves import MlflowCurves
from training.fitting.fit import fit
from training.fitting.losses import LOSS_SETTINGS
from training.fitting.module import VALIDATION_GAINS, VALIDATION_TAU
from training.tuning.study_charts import study_charts
from training.tuning.trials import enqueue, new_study, shared_study
from training.tuning.worker import run_trials

logger = logging.getLogger(__name__)

PRUNED_TAG = "pruned"
TRIALS_TABLE = "study/trials.json"


class Pruner(Callback):
    """Reports the validation tau to Optuna, several times an epoch, and ends a trial that lags behind.

    The static gains stand beside it as attributes of the trial; nothing is decided by them.
    """

    def __init__(self, trial: optuna.Trial) -> None:
        self._trial = trial

    def on_validation_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Raise `TrialPruned` if the trial is below the median of the others at this step."""
        self._trial.report(float(trainer.callback_metrics[VALIDATION_TAU]), trainer.global_step)
        for name in VALIDATION_GAINS:
            self._trial.set_user_attr(name, float(trainer.callback_metrics[name]))
        if self._trial.should_prune():
            raise optuna.TrialPruned


def tune(config: TrainingConfig, splits: Splits) -> optuna.Study:
    """Run the study under the active MLflow run and return it, with all of its trials done.

    One trial has the config's own values, so no study ends below them. With a storage this is one worker of
    all that share the study: it returns when all of its trials are done.

    Raises:
        InvalidInput: the storage cannot be used or its study belongs to other settings.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = _study(config, splits.data_digest)
    enqueue(study, {name: getattr(config, name) for name in ("learning_rate", *LOSS_SETTINGS[config.loss])})
    run_trials(
        study, lambda trial: in_nested_run(trial, lambda run: run_trial(trial, config, splits, run)), config.trials
    )
    return study


def _study(config: TrainingConfig, data_digest: str) -> optuna.Study:
    if config.study_storage is None:
        return new_study(config.seed, config.pruner)
    settings = settings_of(config, data_digest)
    # A study may be made longer; the others touch no trial.
    for free in (
        *("trials", "soup", "devices", "strategy", "coverage", "test_prompts"),
        *("unlabelled", "unlabelled_prompts", "distil_epochs"),
    ):
        del settings[free]
    name = config.study or model_name(config.ranker_target_llm)
    return shared_study(config.study_storage, name, settings, config.pruner)


def suggest(trial: optuna.trial.BaseTrial, loss: str) -> dict[str, float]:
    """The values that a trial tries: only those that the loss uses."""
    values = {"learning_rate": trial.suggest_float("learning_rate", 5e-5, 1e-3, log=True)}
    if "margin" in LOSS_SETTINGS[loss]:
        values["margin"] = trial.suggest_float("margin", 0.1, 3.0, log=True)
    if "min_length_difference" in LOSS_SETTINGS[loss]:
        values["min_length_difference"] = trial.suggest_float("min_length_difference", 0.0, 0.5)
    return values


def run_trial(trial: optuna.Trial, config: TrainingConfig, splits: Splits, run: mlflow.ActiveRun | None) -> float:
    """Train with the suggested values on a part of the prompts; return the last validation tau.

    Its curves are logged to the run, if there is one.
    """
    values, last = suggest(trial, config.loss), _LastTau()
    curves = MlflowCurves(run.info.run_id if run else None)
    if run:
        logged_or_lost(mlflow.log_params, values | {"trial": trial.number})
    train = splits.train.first(config.trial_prompts)
    validation = splits.validation.first(config.trial_validation_prompts)
    one_fit = config.with_values({**values, "checkpoint": None, "soup": 1, "devices": 1, "strategy": "auto"})
    try:
        title = f"trial {trial.number} ({trial.number + 1} of {config.trials})"
        fit(one_fit, train, validation, [curves, last, Pruner(trial)], title)
    finally:
        curves.finish()
    return last.tau


def in_nested_run(trial: optuna.Trial, objective: Callable[[mlflow.ActiveRun | None], float]) -> float:
    """Give the trial a nested MLflow run; a pruned one ends KILLED with a tag, since it did not fail.

    While MLflow is away the trial goes on without a run.
    """
    run = logged_or_lost(mlflow.start_run, nested=True, run_name=f"trial {trial.number}")
    status = "FAILED"
    try:
        tau = objective(run)
        status = "FINISHED"
    except optuna.TrialPruned:
        if run:
            logged_or_lost(mlflow.set_tag, PRUNED_TAG, "true")
        status = "KILLED"
        raise
    finally:
        if run:
            end_run(status)
    tried = ", ".join(f"{name} {value:.3g}" for name, value in trial.params.items())
    logger.info("trial %d: validation tau %.3f with %s", trial.number, tau, tried)
    return tau


def log_study(study: optuna.Study) -> None:
    """Log the trials' table, the best values and charts of the study to the active run."""
    mlflow.log_params({f"best_{name}": value for name, value in study.best_params.items()})
    attributes = study.best_trial.user_attrs  # a shared study may hold trials of a version that knew no static gain
    best = {VALIDATION_TAU: study.best_value} | {
        name: attributes[name] for name in VALIDATION_GAINS if name in attributes
    }
    mlflow.log_metrics({f"best_trial_{name}": value for name, value in best.items()})
    trials = study.trials_dataframe(("number", "value", "user_attrs", "params", "state", "duration"))
    trials = trials.rename(columns=lambda name: name.removeprefix("user_attrs_"))
    trials["duration"] = trials["duration"].dt.total_seconds()
    trials["state"] = trials["state"].astype(object)  # MLflow 3.17 trips over the str columns of pandas 3
    mlflow.log_table(trials.rename(columns={"duration": "duration_s"}), TRIALS_TABLE)
    for name, chart in study_charts(study):
        mlflow.log_text(svg(chart), f"study/{name}.svg")


class _LastTau(Callback):
    tau = 0.0

    def on_validation_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        self.tau = float(trainer.callback_metrics[VALIDATION_TAU])
