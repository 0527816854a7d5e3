"""A run's settings as MLflow shows them."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import mlflow

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def log_parameters(config: "DataclassInstance") -> None:
    """Log every setting to the active run, but those that `mlflow run` logged already: no parameter can change."""
    run = mlflow.active_run()
    assert run is not None, "parameters belong to a run"
    there = mlflow.get_run(run.info.run_id).data.params
    mlflow.log_params({name: value for name, value in asdict(config).items() if name not in there})
