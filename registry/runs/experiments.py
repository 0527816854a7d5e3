"""Where in MLflow runs lie: an experiment for each target LLM, named as its registered model."""

import json
import os
import re
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from zlib import compress

import mlflow
from mlflow.exceptions import MlflowException

from registry.artefact.card import RankerCard
from registry.errors import UserError
from registry.runs.stored_run import DATABASES
from registry.store import TARGET_LLM_TAG, model_name
from registry.tracking import NOTE_TAG

OF_ALL = "pars"
"""The experiment of runs that are about no single target LLM."""
KIND_TAG, KIND = "mlflow.experimentKind", "custom_model_development"
"""Of an experiment: MLflow's pages open on its runs; without it they ask what it is, or open on traces."""
PRIMARY_METRIC_TAG, PRIMARY_METRIC = "mlflow.experiment.primaryMetric.name", "kendall_tau_b"
"""Of an experiment: the metric that MLflow's charts of its runs begin with."""
VIEW_KEY = "rankers"
VIEW_TAG = f"mlflow.sharedViewState.{VIEW_KEY}"
"""Of an experiment: how its list of runs looks under this key, as MLflow's button *Share* writes it."""
CHOSEN = ("MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID", "MLFLOW_RUN_ID")
"""One of these is set where a user has named an experiment, or `mlflow run` has begun a run in one."""

_REGISTERED = re.compile(r"models:/(pars-[^/@]+)[/@]")


def use_experiment(settings: Mapping[str, Any]) -> None:
    """Let the runs that follow lie in the experiment that a command's settings tell; one that the user named stays."""
    if not any(os.environ.get(name) for name in CHOSEN):
        mlflow.set_experiment(experiment_id=experiment_id(settings))


def experiment_id(settings: Mapping[str, Any]) -> str:
    """The experiment that a command's settings tell; it is made where there is none."""
    name, client = experiment_name(settings), mlflow.MlflowClient()
    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return _make(client, name, _target_of(settings))
        except MlflowException:
            found = client.get_experiment_by_name(name)
            if found is None:  # else another process was faster
                raise
    return found.experiment_id


def experiment_name(settings: Mapping[str, Any]) -> str:
    """That of the target LLM, or of the rankers if all are one target LLM's; `pars` where neither is told."""
    if target_llm := _target_of(settings):
        return model_name(target_llm)
    models = {_model_of(ranker) for ranker in _rankers_in(settings)}
    return models.pop() if len(models) == 1 else OF_ALL


def _model_of(ranker: str) -> str:
    if registered := _REGISTERED.match(ranker):
        return registered[1]
    with suppress(UserError, OSError):
        return model_name(RankerCard.read(Path(ranker)).target_llm)
    return OF_ALL


def _target_of(settings: Mapping[str, Any]) -> str:
    return str(settings.get("target_llm") or "").strip()


def _rankers_in(settings: Mapping[str, Any]) -> list[str]:
    """Of the settings `ranker` and `rankers`; as typed, the latter is one text with commas."""
    several = settings.get("rankers") or ()
    listed = several.split(",") if isinstance(several, str) else several
    return [str(one).strip() for one in (settings.get("ranker"), *listed) if one]


def _make(client: mlflow.MlflowClient, name: str, target_llm: str) -> str:
    tags = {KIND_TAG: KIND, PRIMARY_METRIC_TAG: PRIMARY_METRIC, VIEW_TAG: _view()}
    tags |= {TARGET_LLM_TAG: target_llm} if target_llm else {}
    made: str = client.create_experiment(name, _beside_default(client, name), tags)
    client.set_experiment_tag(made, NOTE_TAG, _description(name, target_llm, made))
    return made


def _description(name: str, target_llm: str, number: str) -> str:
    if name == OF_ALL:
        return "Runs of PARS that are about several target LLMs, or none: simulations, measurements, comparisons."
    whose = f" `{target_llm}`" if target_llm else ""
    best_first = f"#/experiments/{number}/runs?viewStateShareKey={VIEW_KEY}&workflowType=machine_learning"
    return (
        f"What was done for the target LLM{whose}. [Its rankers, best tau-b first]({best_first}), are the versions of"
        f" [{name}](#/models/{name}): they order its waiting requests by the predicted length of their answers. The"
        " other runs judged them."
    )


def _view() -> str:
    """A view of MLflow's list of runs that its pages open by its key: what has a tau, and that column first."""
    columns = (
        "metrics.`kendall_tau_b`",
        "metrics.`static_gain_s_per_token`",
        "attributes.`Models`",
        "attributes.`Dataset`",
    )
    state = {"orderByKey": columns[0], "orderByAsc": False, "searchFilter": "metrics.kendall_tau_b > -1"}
    state |= {"startTime": "ALL", "lifecycleFilter": "Active", "datasetsFilter": [], "modelVersionFilter": "All Runs"}
    packed = compress(json.dumps({**state, "selectedColumns": columns}).encode())
    return f"deflate;{b64encode(packed).decode()}"


def _beside_default(client: mlflow.MlflowClient, name: str) -> str | None:
    """Where artefacts go: a server knows; a database that is used directly keeps them beside those of `Default`.

    MLflow itself would put them into the working folder of whoever comes first.
    """
    if not mlflow.get_tracking_uri().startswith(DATABASES):
        return None
    default = client.get_experiment_by_name("Default")
    if default is None:
        return None
    parent, _, folder = default.artifact_location.rpartition("/")
    return f"{parent}/{name}" if folder == default.experiment_id else None
