"""A worker on a study: runs the next trial until all are done, whatever becomes of it or of other workers."""

import logging
import time
import warnings
from collections.abc import Callable
from math import nan

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.trial import TrialState

from registry.errors import InvalidInput
from registry.secrets import without_passwords
from training.tuning.trials import RAISED, is_begun, is_done

logger = logging.getLogger(__name__)

POLL_S = 2.0
"""How often a worker without a trial looks whether another one has lost its own."""
MAX_RAISED = 3
"""Trials in a row that may raise in one worker, before what they raise is taken for its own fault."""


def run_trials(
    study: optuna.Study, objective: Callable[[optuna.Trial], float], trials: int, poll_s: float = POLL_S
) -> None:
    """Run trials until the study, over all its workers, has `trials` that are done: complete, pruned or hopeless.

    While others run the last ones this waits, since a worker may die: its trial is then run here, with the same
    values. A worker that was paused for so long that another one has taken over its trial gives that up and takes the
    next. A trial that raises, or whose workers keep dying, is left out.

    Raises:
        InvalidInput: no trial is complete.
        Exception: what `MAX_RAISED` trials in a row raised here, or the study's storage.
    """
    raised = 0
    while sum(map(is_done, study.get_trials(deepcopy=False))) < trials:
        _queue_lost_trials(study)
        if sum(map(is_begun, study.get_trials(deepcopy=False))) >= trials:
            time.sleep(poll_s)
            continue
        error = _run_next(study, _Attempt(study, objective, trials))
        raised = raised + 1 if error else 0
        if error and raised == MAX_RAISED:
            raise error
    _require_a_value(study)


def _run_next(study: optuna.Study, attempt: "_Attempt") -> Exception | None:
    """Run the next trial and return what the objective raised, if it did."""
    try:
        study.optimize(attempt, n_trials=1)
    except Exception as error:
        if attempt.has_raised:
            logger.warning("trial %d is left out, since it raised: %s", attempt.number, error)
            return error
        if not attempt.is_taken_over:  # the storage fails
            raise
        logger.warning("trial %d is given up: another worker took it over, while this one was paused", attempt.number)
    return None


class _Attempt:
    """One trial, as this worker runs it."""

    def __init__(self, study: optuna.Study, objective: Callable[[optuna.Trial], float], trials: int) -> None:
        self._study, self._objective, self._trials = study, objective, trials
        self.number = -1
        """Of the trial; -1 until there is one."""
        self.has_raised = False
        """Whether the objective failed while the trial was still this worker's."""

    def __call__(self, trial: optuna.Trial) -> float:
        self.number = trial.number
        # Two workers that look at the same moment start one too many: the later one is given up. NaN is FAIL.
        before = self._study.get_trials(deepcopy=False)[: trial.number]
        if sum(map(is_begun, before)) >= self._trials:
            return nan
        try:
            return self._objective(trial)
        except optuna.TrialPruned:
            raise
        except Exception as error:
            if not self.is_taken_over:
                self.has_raised = True
                trial.set_user_attr(RAISED, without_passwords(f"{type(error).__name__}: {error}"))
            raise

    @property
    def is_taken_over(self) -> bool:
        """Whether another worker has ended the trial: whatever Optuna is told of it then, it raises."""
        return self.number >= 0 and self._study.get_trials(deepcopy=False)[self.number].state == TrialState.FAIL


def _queue_lost_trials(study: optuna.Study) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        optuna.storages.fail_stale_trials(study)


def _require_a_value(study: optuna.Study) -> None:
    if study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        return
    reasons = [one.user_attrs[RAISED] for one in study.get_trials(deepcopy=False) if RAISED in one.user_attrs]
    raise InvalidInput(
        f"a study needs a trial that ends well, but all of {study.study_name!r} failed, the last one with"
        f" {reasons[-1] if reasons else 'the end of its worker'}; mend that, then give another name to the study."
    )
