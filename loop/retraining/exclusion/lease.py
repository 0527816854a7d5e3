"""A lease on a registered model: whoever holds it retrains, whichever machine it runs on.

It is a tag of the registered model, so it holds for all who share the registry. It ends by itself, so that one that was
killed keeps nobody out for long; one that runs renews it. MLflow has no "set it unless it is set": so who writes it
waits, and holds it only if it still says so then. Whoever looked before that has written by then, and the last one
holds it. Clocks must agree better than the lease is long.
"""

import json
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple, Self

import mlflow
from mlflow.exceptions import MlflowException

from loop.retraining.idle import Idle
from registry.errors import UserError
from registry.runs.mlflow_failures import FAILURES, reason_of
from registry.runs.stored_run import impatient
from registry.store import TARGET_LLM_TAG, find_model

logger = logging.getLogger(__name__)

LEASE_TAG = "retraining"
SETTLE_S = 3.0
"""Longer than from a look at the tag to its being written."""
PATIENCE_S = 10.0
RENEWALS = 5
"""Tries to renew it within its length."""


class LostLease(UserError, RuntimeError):
    """Somebody else took over; nothing may be promoted any more."""


class Claim(NamedTuple):
    """What the tag says."""

    token: str
    by: str
    until_s: float
    run_id: str = ""

    @classmethod
    def read(cls, name: str) -> Self | None:
        """That of a registered model; None if there is none that can be read."""
        model = find_model(name)
        with suppress(ValueError, TypeError):
            return cls(**json.loads(model.tags[LEASE_TAG])) if model and LEASE_TAG in model.tags else None
        return None

    def write(self, name: str) -> None:
        """Make it what the tag says."""
        mlflow.MlflowClient().set_registered_model_tag(name, LEASE_TAG, json.dumps(self._asdict()))


class Lease:
    """Held by this process until it is released."""

    def __init__(self, name: str, length_s: float, now: Callable[[], float]) -> None:
        self._name = name
        self._length_s = length_s
        self._now = now
        self._claim = Claim(secrets.token_hex(8), f"{socket.gethostname()}, process {os.getpid()}", now() + length_s)
        self._released = threading.Event()

    def claim(self, settle_s: float) -> None:
        """Take it.

        Raises:
            Idle: somebody else was faster.
            MlflowException: the tag cannot be written, and nobody else has.
        """
        refused: Exception | None = None
        try:
            self._claim.write(self._name)
        except FAILURES as error:  # a database lets one of two who write a new tag at once fail
            refused = error
        time.sleep(settle_s)
        found = Claim.read(self._name)
        if found is None or found.token != self._claim.token:
            raise Idle(_busy(self._name, found.by)) if found else refused or Idle(_busy(self._name, "somebody"))

    def begin_run(self, run_id: str) -> None:
        """Note the run, so that whoever finds the lease after a kill ends it."""
        self._claim = self._claim._replace(run_id=run_id)
        self.renew()

    def renew(self) -> None:
        """Hold it for its length from now on.

        Raises:
            LostLease: it is somebody else's by now.
        """
        self.require()
        self._claim = self._claim._replace(until_s=self._now() + self._length_s)
        self._claim.write(self._name)

    def require(self) -> None:
        """See that it is held still.

        Raises:
            LostLease: it is not.
        """
        found = Claim.read(self._name)
        if found is None or found.token != self._claim.token:
            raise LostLease(
                f"{self._name} is retrained by {found.by if found else 'nobody'} now, since this retraining could not"
                " renew its lease in time; nothing was promoted, start it again."
            )

    def keep(self) -> None:
        """Renew it until it is released; a registry that is away is asked again."""
        while not self._released.wait(self._length_s / RENEWALS):
            try:
                self.renew()
            except LostLease:
                return
            except FAILURES as error:
                logger.warning("the lease on %s could not be renewed yet: %s", self._name, reason_of(error))

    def release(self) -> None:
        """Let others in, if it is still ours; where the registry is away it ends by itself."""
        self._released.set()
        with suppress(*FAILURES, LostLease), impatient():
            self.require()
            mlflow.MlflowClient().delete_registered_model_tag(self._name, LEASE_TAG)


@contextmanager
def leased(
    name: str,
    target_llm: str,
    length_s: float,
    now: Callable[[], float] = time.time,
    settle_s: float = SETTLE_S,
) -> Iterator[Lease]:
    """In the block nobody else retrains the rankers of this registered model, which is made if it is not there.

    Raises:
        Idle: somebody else does.
    """
    _see_to_model(name, target_llm)
    there = Claim.read(name)
    if there is not None and there.until_s > now():
        raise Idle(_busy(name, there.by))
    lease = Lease(name, length_s, now)
    lease.claim(settle_s)
    if there is not None and there.run_id:
        end_left_runs(there.run_id)
    keeper = threading.Thread(target=lease.keep, daemon=True)
    keeper.start()
    try:
        yield lease
    finally:
        lease.release()
        keeper.join(PATIENCE_S)  # it may be in the middle of a call to a registry that is away


def end_left_runs(run_id: str) -> None:
    """End the run of a retraining that was killed, and those below it, as killed."""
    client = mlflow.MlflowClient()
    with suppress(MlflowException):  # the run is deleted, or its store is another one
        left = client.get_run(run_id)
        below = client.search_runs([left.info.experiment_id], f"tags.mlflow.parentRunId = '{run_id}'")
        for run in (left, *below):
            if run.info.status == "RUNNING":
                client.set_terminated(run.info.run_id, "KILLED")


def _see_to_model(name: str, target_llm: str) -> None:
    if find_model(name) is None:
        with suppress(MlflowException):  # somebody else has made it meanwhile
            mlflow.MlflowClient().create_registered_model(name, {TARGET_LLM_TAG: target_llm})


def _busy(name: str, by: str) -> str:
    return f"Nothing to do: {name} is being retrained already, by {by}."
