"""Optuna studies that several workers can share: where their trials lie, and who runs the next one."""

import time
import warnings
from collections.abc import Callable, Mapping
from math import nan
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from registry.errors import InvalidInput
from training.fingerprint import require_same

HEARTBEAT_S = 30
"""A worker says this often that it lives; one that was silent for twice as long has lost its trial."""
POLL_S = 2.0
"""How often a worker without a trial looks whether another one has lost its own."""
ATTEMPTS = 5
"""Workers that start together can stumble over each other while they create the tables."""

SETTLED = (TrialState.COMPLETE, TrialState.PRUNED)
"""States of the trials that count; a lost one (FAIL) does not, and is queued again."""
STARTED = (*SETTLED, TrialState.RUNNING)


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
    """Queue a trial with these values, unless one has run, runs or waits; one that failed does not count."""
    there = study.get_trials(deepcopy=False, states=(*STARTED, TrialState.WAITING))
    if not any(values in (one.params, one.system_attrs.get("fixed_params")) for one in there):
        study.enqueue_trial(dict(values))


def run_trials(
    study: optuna.Study, objective: Callable[[optuna.Trial], float], trials: int, poll_s: float = POLL_S
) -> None:
    """Run trials until the study, over all its workers, has `trials` that are complete or pruned.

    While others run the last ones this waits, since a worker may die: its trial is then run here, with the same
    values.
    """

    def run(trial: optuna.Trial) -> float:
        # Two workers that look at the same moment start one too many: the later one is given up. NaN is FAIL.
        started_before = sum(number < trial.number for number in _numbers(study, STARTED))
        return objective(trial) if started_before < trials else nan

    while len(_numbers(study, SETTLED)) < trials:
        _queue_lost_trials(study)
        if len(_numbers(study, STARTED)) < trials:
            study.optimize(run, n_trials=1)
        else:
            time.sleep(poll_s)


def _numbers(study: optuna.Study, states: tuple[TrialState, ...]) -> list[int]:
    return [trial.number for trial in study.get_trials(deepcopy=False, states=states)]


def _queue_lost_trials(study: optuna.Study) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        optuna.storages.fail_stale_trials(study)


def _open(url: str, heartbeat_s: int) -> RDBStorage:
    # A trial takes minutes and a query milliseconds, so no connection is kept open for the next one.
    engine: dict[str, Any] = {"poolclass": NullPool}
    if url.startswith("sqlite"):
        engine["connect_args"] = {"timeout": 60}
    for attempt in range(ATTEMPTS):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                retry = RetryHeartbeatStaleTrialCallback()
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
