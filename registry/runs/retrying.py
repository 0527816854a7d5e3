"""What must not be lost: storing it is tried again for a while, and what can be done without is given up at once."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import mlflow
from mlflow.exceptions import MlflowException
from requests import HTTPError, RequestException
from sqlalchemy.exc import OperationalError
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay, wait_exponential

from registry.runs.mlflow_failures import FAILURES, reason_of
from registry.runs.stored_run import end_run, impatient

logger = logging.getLogger(__name__)

Given = ParamSpec("Given")
Made = TypeVar("Made")

LONGEST_WAIT_S = 30
UPLOAD_TIMEOUT_S = 120
PASSING_CODES = ("INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "ABORTED")
"""MLflow's words for what may be otherwise in a minute; INTERNAL_ERROR is a server that does not answer, too."""


class Again:
    """Calls of MLflow, each repeated until it succeeds or `for_s` seconds are over. Every failure is logged.

    Only what may pass is repeated: a server that is away, not one that refuses this user.
    """

    def __init__(self, for_s: float, sleep: Callable[[float], None] = time.sleep) -> None:
        self._retrying = Retrying(
            retry=retry_if_exception(may_pass),
            stop=stop_after_delay(for_s),
            wait=wait_exponential(max=LONGEST_WAIT_S),
            before_sleep=_say,
            sleep=sleep,
            reraise=True,
        )

    def __call__(self, call: Callable[Given, Made], *args: Given.args, **kwargs: Given.kwargs) -> Made:
        """What the call returns.

        Raises: what it raised at last.
        """

        def attempt() -> Made:
            with impatient(UPLOAD_TIMEOUT_S):
                return call(*args, **kwargs)

        return self._retrying(attempt)


def logged_or_lost(call: Callable[Given, Made], *args: Given.args, **kwargs: Given.kwargs) -> Made | None:
    """What the call returns; None where MLflow fails, which is logged: the work goes on with a curve or table less."""
    try:
        with impatient():
            return call(*args, **kwargs)
    except FAILURES as error:
        logger.warning("MLflow fails, so this is not logged, and the work goes on: %s", reason_of(error))
        return None


@contextmanager
def nested_run(name: str) -> Iterator[mlflow.ActiveRun | None]:
    """A run below the active one; None while MLflow is away, when the work goes on without."""
    run = logged_or_lost(mlflow.start_run, run_name=name, nested=True)
    status = "FAILED"
    try:
        yield run
        status = "FINISHED"
    finally:
        if run:
            end_run(status)


def may_pass(error: BaseException) -> bool:
    """Whether the same call may succeed in a minute."""
    if isinstance(error, MlflowException):
        return error.error_code in PASSING_CODES
    if isinstance(error, HTTPError) and error.response is not None:
        return error.response.status_code >= 500
    return isinstance(error, (RequestException, OperationalError, ConnectionError, TimeoutError))


def _say(state: RetryCallState) -> None:
    assert state.outcome is not None
    assert state.next_action is not None
    logger.warning(
        "MLflow fails, so what is done cannot be stored yet (attempt %d, %.0f s so far); again in %.0f s: %s",
        state.attempt_number,
        state.seconds_since_start,
        state.next_action.sleep,
        reason_of(state.outcome.exception()),  # type: ignore[arg-type]  # only exceptions are retried
    )
