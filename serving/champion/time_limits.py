"""How soon MLflow's own calls give up in a server, which looks again a few seconds later anyway."""

import os
from collections.abc import Mapping, MutableMapping

import mlflow.store.db.utils as database

SOON: Mapping[str, str] = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",  # seconds; MLflow's own: 120
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",  # MLflow's own: 7, with pauses that come to 4 minutes
}


def give_up_soon(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let no call of MLflow wait for long, unless the user has said otherwise."""
    for name, value in SOON.items():
        environment.setdefault(name, value)
    # MLflow has no setting for it: 10 tries within 100 s, and meanwhile a lock keeps every other call out.
    database.MAX_RETRY_COUNT = 1
