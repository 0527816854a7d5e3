"""Where ranker versions live: MLflow's model registry. What a running server asks of it is in `registry/watch.py`.

Aliases: `champion` is served, `challenger` is proposed, `previous_champion` is what a rollback brings back.
"""

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import mlflow
from mlflow.entities.model_registry import RegisteredModel
from mlflow.exceptions import MlflowException
from mlflow.models import Model

from registry.artefact.card import RankerCard
from registry.artefact.files import PLOTS_FOLDER, WEIGHTS_FILE
from registry.errors import UserError
from registry.pyfunc import log_model
from registry.ranker import Ranker
from registry.runs.pages import version_tags, write_pages
from registry.runs.retrying import Again

logger = logging.getLogger(__name__)

CHAMPION = "champion"
CHALLENGER = "challenger"
PREVIOUS_CHAMPION = "previous_champion"
TARGET_LLM_TAG = "target_llm"
ORDERING_TAG = "ordering"
"""Of a registered model: `off` lets running servers stop ordering the requests to its target LLM."""


class RegistryError(UserError, RuntimeError):
    """What was asked of the registry cannot be done; one sentence that says what to do next."""


def model_name(target_llm: str) -> str:
    """Name of the registered model; MLflow refuses some characters, so the exact name is the tag `target_llm`."""
    slug = re.sub(r"[^a-z0-9._-]+", "-", target_llm.lower()).strip("-")
    if not slug:
        raise RegistryError(f"a target LLM's name must hold a letter or a digit, but got {target_llm!r}.")
    return f"pars-{slug}"


def check_owner(target_llm: str) -> str:
    """The registered name of a target LLM's rankers, if it is free or theirs.

    Raises:
        RegistryError: no such name can be, or it belongs to another target LLM.
    """
    name = model_name(target_llm)
    model = find_model(name)
    owner = model.tags.get(TARGET_LLM_TAG, target_llm) if model else target_llm
    if owner != target_llm:
        raise RegistryError(
            f"the name {name} belongs to the target LLM {owner!r}, but got {target_llm!r};"
            " choose a name that differs in letters or digits."
        )
    return name


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


def alias_version(target_llm: str, alias: str = CHAMPION) -> int | None:
    """The version that an alias points to; None if there is none, or no such model."""
    model = find_model(model_name(target_llm))
    return _alias(model, alias) if model else None


def proposed_version(target_llm: str, version: int | None = None) -> int:
    """The version that is to be promoted: the challenger, unless another is named.

    Raises:
        RegistryError: no such target LLM or version, or nothing is proposed.
    """
    model = _get_model(target_llm)
    versions = _versions(model.name)
    chosen = _alias(model, CHALLENGER) if version is None else version
    if chosen is None:
        raise RegistryError(
            f"{model.name} has no challenger (versions {versions}, champion {_alias(model, CHAMPION)}): train a ranker,"
            " which then is one, or name a version with version=NUMBER."
        )
    if chosen not in versions:
        raise RegistryError(f"{model.name} has the versions {versions}, but got {chosen}; name one of them.")
    return chosen


def promote(target_llm: str, version: int | None = None) -> int:
    """Make a version (the challenger unless told) the champion and remember the one before; return the version.

    Nothing is asked of it here: the gate (`loop/gate/`) has judged it, or somebody takes it upon himself.

    Raises:
        RegistryError: no such target LLM or version, or nothing is proposed.
    """
    chosen, model = proposed_version(target_llm, version), _get_model(target_llm)
    before = _alias(model, CHAMPION)
    client = mlflow.MlflowClient()
    if before not in (None, chosen):
        client.set_registered_model_alias(model.name, PREVIOUS_CHAMPION, str(before))
    client.set_registered_model_alias(model.name, CHAMPION, str(chosen))
    if _alias(model, CHALLENGER) == chosen:  # last, so that a kill leaves it proposed until it is served
        _propose_nothing(model.name)
    return chosen


def _propose_nothing(name: str) -> None:
    """Take the challenger's alias away; whoever may set aliases but delete none leaves it with the champion."""
    try:
        mlflow.MlflowClient().delete_registered_model_alias(name, CHALLENGER)
    except MlflowException as error:
        if error.error_code != "PERMISSION_DENIED":
            raise
        logger.warning("%s: this user may not delete aliases, so the champion is the challenger, too.", name)


def rollback(target_llm: str) -> int:
    """Bring the champion before this one back (a second rollback undoes the first); return the version.

    Raises:
        RegistryError: no such target LLM, or nothing to go back to.
    """
    model = _get_model(target_llm)
    before = _alias(model, PREVIOUS_CHAMPION)
    if before is None:
        raise RegistryError(f"{model.name} has had no champion before this one; promote another version instead.")
    return promote(target_llm, before)


def switch_ordering(target_llm: str, state: str) -> None:
    """Let running servers order the requests to a target LLM (`on`), or serve them first come, first served (`off`).

    Raises:
        RegistryError: no such target LLM.
    """
    tag_model(target_llm, ORDERING_TAG, state)


def tag_model(target_llm: str, name: str, value: str) -> None:
    """Write a tag of the registered model of a target LLM, which running servers look at.

    Raises:
        RegistryError: no such target LLM.
    """
    mlflow.MlflowClient().set_registered_model_tag(_get_model(target_llm).name, name, value)


def load_ranker(uri: str) -> Ranker:
    """Load a ranker by `models:/NAME@ALIAS`, `models:/NAME/VERSION` or the path of its folder.

    Raises:
        RegistryError: the registry does not have it.
        InvalidRanker: it does not load.
    """
    return Ranker.load(ranker_folder(uri))


def ranker_folder(uri: str) -> Path:
    """The local folder of a ranker: downloaded if the store is remote, or the path as given.

    Raises:
        RegistryError: the registry does not have it.
    """
    if not uri.startswith("models:/"):
        return Path(uri)
    try:
        folder = Path(mlflow.artifacts.download_artifacts(uri))
        return folder / str(Model.load(folder).flavors["python_function"]["data"])
    except (MlflowException, OSError, KeyError) as error:
        raise RegistryError(f"{uri} cannot be had from the registry at {mlflow.get_tracking_uri()}: {error}") from error


def _get_model(target_llm: str) -> RegisteredModel:
    model = find_model(model_name(target_llm))
    if model is None or not _versions(model.name):
        known = sorted(one.name for one in mlflow.MlflowClient().search_registered_models("name LIKE 'pars-%'"))
        raise RegistryError(
            f"no ranker is registered for the target LLM {target_llm!r} at {mlflow.get_tracking_uri()}"
            f" (registered: {', '.join(known) or 'none'}); train one with"
            f" `mlflow run . --env-manager local -P target_llm={target_llm} -P lengths=FILE`."
        )
    return model


def find_model(name: str) -> RegisteredModel | None:
    """The registered model of this name; None if there is none."""
    try:
        return mlflow.MlflowClient().get_registered_model(name)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise


def _versions(name: str) -> list[int]:
    return sorted(int(one.version) for one in mlflow.MlflowClient().search_model_versions(f"name = '{name}'"))


def _alias(model: RegisteredModel, alias: str) -> int | None:
    version = model.aliases.get(alias)
    return None if version is None else int(version)
