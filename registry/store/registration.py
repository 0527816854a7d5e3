"""A ranker's folder becomes a version of its target LLM's registered model."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import mlflow

from registry.artefact.card import RankerCard
from registry.artefact.files import PLOTS_FOLDER, WEIGHTS_FILE
from registry.pyfunc import log_model
from registry.ranker import Ranker
from registry.runs.pages import version_tags, write_pages
from registry.runs.quiet_mlflow import quiet_mlflow
from registry.runs.retrying import Again
from registry.store.aliases import CHALLENGER
from registry.store.registered_models import TARGET_LLM_TAG, check_owner


def register(folder: Path, retry_s: float = 0.0, tags: Mapping[str, str] = MappingProxyType({})) -> int:
    """Log a ranker's folder to the active run, register it with these tags, propose it as challenger; its version.

    Float weights and plots, if the folder has them, become artefacts of the run, not of the version. What MLflow fails
    to do is tried again for `retry_s` seconds, step by step, so that no version is made twice.

    Raises:
        RegistryError: the name's slug belongs to another target LLM.
        InvalidRanker: the folder is not a ranker.
    """
    card, again = Ranker.load(folder).card, Again(retry_s)
    name = again(check_owner, card.target_llm)
    again(_log_to_run, folder, card)
    uri = again(log_model, folder, card.metrics)
    shown = {**version_tags(card), TARGET_LLM_TAG: card.target_llm, **tags}
    with quiet_mlflow():
        version = int(again(mlflow.register_model, uri, name, tags=shown).version)
    client = mlflow.MlflowClient()
    again(client.set_registered_model_tag, name, TARGET_LLM_TAG, card.target_llm)
    again(client.set_registered_model_alias, name, CHALLENGER, str(version))
    again(mlflow.set_tag, "ranker", f"models:/{name}/{version}")
    again(write_pages, name, version, card)
    return version


def _log_to_run(folder: Path, card: RankerCard) -> None:
    mlflow.log_metrics(dict(card.metrics))
    if (folder / PLOTS_FOLDER).is_dir():
        mlflow.log_artifacts(str(folder / PLOTS_FOLDER), PLOTS_FOLDER)
    if (folder / WEIGHTS_FILE).is_file():
        mlflow.log_artifact(str(folder / WEIGHTS_FILE))
