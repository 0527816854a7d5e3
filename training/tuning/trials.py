"""Optuna studies that several workers can share: where their trials lie, and which of them count."""

import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from registry.errors import InvalidInput
from training.fingerprint import require_same

HEARTBEAT_S = 30
"""A worker says this often that it lives; one that was silent for twice as long has lost its trial."""
ATTEMPTS = 5
"""Workers that start together can stumble over each other while they create the tables."""

MAX_RETRIES = 2
"""How often a trial whose worker died is run again; one that kills its worker each time is left."""
RAISED = "raised"
"""Attribute of a trial that raised: what it said."""

SETTLED = (TrialState.COMPLETE, TrialState.PRUNED)
"""States of the trials that have a value."""


PRUNERS: dict[str, Callable[[], optuna.pruners.BasePruner]] = {
    "median": lambda: optuna.pruners.MedianPruner(n_startup_trials=2),
    "none": optuna.pruners.NopPruner,
}


def new_study(seed: int, pruner: str = "median") -> optuna.Study:
    """A study in memory, for one process; the seed decides its trials."""
    return optuna.create_study(direction="maximize", sampler=_sampler(seed), pruner=PRUNERS[pruner]())


def shared_study(
    storage_url: str, name: str, settings: Mapping[str, Any], pruner: str = "median", heartbeat_s: int = HEARTBEAT_S
) -> optuna.Study:
    """Create the study in a database, or join it if it is there.

    Its trials are not repeatable: each worker draws from a seed of its own, or all would draw the same.

    Args:
        storage_url: any database that SQLAlchemy and Optuna know; its driver must be installed.
        name: of the study.
        settings: what all workers must agree on; see `training.fingerprint`.
        pruner: one of `PRUNERS`.
        heartbeat_s: seconds between two signs of life of a worker.

    Raises:
        InvalidInput: the database cannot be used, or the study there belongs to other settings.
    """
    study = optuna.create_study(
        storage=_open(storage_url, heartbeat_s),
        study_name=name,
        direction="maximize",
        sampler=_sampler(None),
        pruner=PRUNERS[pruner](),
        load_if_exists=True,
    )
    there = study.user_attrs.get("settings")
    if there is None:
        study.set_user_attr("settings", dict(settings))
    else:
        require_same(f"the study {name!r}", there, settings)
    return study


def enqueue(study: optuna.Study, values: Mapping[str, float]) -> None:
    """Queue a trial with these values, unless one is done, runs or waits; one that was lost does not count."""
    there = [one for one in study.get_trials(deepcopy=False) if is_begun(one) or one.state == TrialState.WAITING]
    if not any(values in (one.params, one.system_attrs.get("fixed_params")) for one in there):
        study.enqueue_trial(dict(values))


def is_done(trial: FrozenTrial) -> bool:
    """Whether a trial counts: it has a value, or would fail again."""
    if trial.state != TrialState.FAIL:
        return trial.state in SETTLED
    return RAISED in trial.user_attrs or len(trial.system_attrs.get("retry_history", [])) >= MAX_RETRIES


def is_begun(trial: FrozenTrial) -> bool:
    """Whether a trial counts already, or may soon."""
    return trial.state == TrialState.RUNNING or is_done(trial)


def _open(url: str, heartbeat_s: int) -> RDBStorage:
    # A trial takes minutes and a query milliseconds, so no connection is kept open for the next one.
    engine: dict[str, Any] = {"poolclass": NullPool}
    if url.startswith("sqlite"):
        engine["connect_args"] = {"timeout": 60}
    for attempt in range(ATTEMPTS):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                retry = RetryHeartbeatStaleTrialCallback(MAX_RETRIES)
                return RDBStorage(url, engine, heartbeat_interval=heartbeat_s, heartbeat_stale_trial_callback=retry)
        except (SQLAlchemyError, ImportError) as error:
            if attempt + 1 == ATTEMPTS or isinstance(error, ImportError):
                raise _no_storage(url, error) from error
            time.sleep(attempt + 1)
    raise AssertionError("the last attempt returns or raises")


def _no_storage(url: str, error: Exception) -> InvalidInput:
    kind = url.partition(":")[0]  # the rest may hold a password
    return InvalidInput(
        f"storage must be the URL of a database, such as sqlite:///study.db, but the one given ({kind}:...) cannot be"
        f" opened: {str(error).partition(chr(10))[0]}"
    )


def _sampler(seed: int | None) -> optuna.samplers.BaseSampler:
    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=4)
