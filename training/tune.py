"""The Optuna study: margin, minimum length difference and learning rate; one nested MLflow run per trial."""

import logging
from collections.abc import Callable
from typing import Any

import lightning
import mlflow
import optuna
import plotly.graph_objects as go
from lightning.pytorch.callbacks import Callback
from optuna import visualization

from training.config import TrainingConfig
from training.curves import MlflowCurves
from training.export import Splits
from training.fit import fit
from training.module import VALIDATION_TAU

logger = logging.getLogger(__name__)

STUDIED = ("margin", "min_length_difference", "learning_rate")
PRUNED_TAG = "pruned"
TRIALS_TABLE = "study/trials.json"


class Pruner(Callback):
    """Reports the validation tau to Optuna, several times an epoch, and ends a trial that lags behind."""

    def __init__(self, trial: optuna.Trial) -> None:
        self._trial = trial

    def on_validation_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Raise `TrialPruned` if the trial is below the median of the others at this step."""
        self._trial.report(float(trainer.callback_metrics[VALIDATION_TAU]), trainer.global_step)
        if self._trial.should_prune():
            raise optuna.TrialPruned


def tune(config: TrainingConfig, splits: Splits) -> TrainingConfig:
    """Run the study under the active MLflow run and return the config with the best values.

    The first trial has the config's own values, so no study ends below them.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=config.seed, n_startup_trials=4),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=2),
    )
    study.enqueue_trial({name: getattr(config, name) for name in STUDIED})
    study.optimize(lambda trial: in_nested_run(trial, lambda: run_trial(trial, config, splits)), n_trials=config.trials)
    log_study(study)
    return config.with_values(study.best_params)


def suggest(trial: optuna.trial.BaseTrial) -> dict[str, float]:
    """The values that a trial tries."""
    return {
        "margin": trial.suggest_float("margin", 0.1, 3.0, log=True),
        "min_length_difference": trial.suggest_float("min_length_difference", 0.0, 0.5),
        "learning_rate": trial.suggest_float("learning_rate", 5e-5, 1e-3, log=True),
    }


def run_trial(trial: optuna.Trial, config: TrainingConfig, splits: Splits) -> float:
    """Train with the suggested values on a part of the prompts; return the last validation tau."""
    values = suggest(trial)
    mlflow.log_params(values | {"trial": trial.number})
    last = _LastTau()
    train = splits.train.first(config.trial_prompts)
    validation = splits.validation.first(config.trial_validation_prompts)
    fit(config.with_values(values), train, validation, [MlflowCurves(), last, Pruner(trial)])
    return last.tau


def in_nested_run(trial: optuna.Trial, objective: Callable[[], float]) -> float:
    """Give the trial a nested MLflow run; a pruned one ends KILLED with a tag, since it did not fail."""
    mlflow.start_run(nested=True, run_name=f"trial {trial.number}")
    status = "FAILED"
    try:
        tau = objective()
        status = "FINISHED"
    except optuna.TrialPruned:
        mlflow.set_tag(PRUNED_TAG, "true")
        status = "KILLED"
        raise
    finally:
        mlflow.end_run(status)
    logger.info("trial %d: validation tau %.3f with %s", trial.number, tau, trial.params)
    return tau


def log_study(study: optuna.Study) -> None:
    """Log the trials' table, the best values and Optuna's plots to the active run."""
    mlflow.log_params({f"best_{name}": value for name, value in study.best_params.items()})
    mlflow.log_metric("best_trial_validation_kendall_tau_b", study.best_value)
    trials = study.trials_dataframe(("number", "value", "params", "state", "duration"))
    trials["duration"] = trials["duration"].dt.total_seconds()
    trials["state"] = trials["state"].astype(object)  # MLflow 3.17 trips over the str columns of pandas 3
    mlflow.log_table(trials.rename(columns={"duration": "duration_s"}), TRIALS_TABLE)
    for name, plot in _PLOTS.items():
        if len([one for one in study.trials if one.state.is_finished() and one.value is not None]) > 1:
            mlflow.log_figure(plot(study), f"study/{name}.html")


class _LastTau(Callback):
    tau = 0.0

    def on_validation_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        self.tau = float(trainer.callback_metrics[VALIDATION_TAU])


_PLOTS: dict[str, Callable[[optuna.Study], go.Figure]] = {
    "optimization_history": visualization.plot_optimization_history,
    "intermediate_values": visualization.plot_intermediate_values,
    "slice": visualization.plot_slice,
    "parallel_coordinate": visualization.plot_parallel_coordinate,
}
