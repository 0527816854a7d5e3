"""Which version is served, which is proposed, and which a rollback brings back."""

import logging

import mlflow
from mlflow.entities.model_registry import RegisteredModel
from mlflow.exceptions import MlflowException

from registry.store.registered_models import RegistryError, find_model, get_model, model_name, versions

logger = logging.getLogger(__name__)

CHAMPION = "champion"
CHALLENGER = "challenger"
PREVIOUS_CHAMPION = "previous_champion"


def alias_version(target_llm: str, alias: str = CHAMPION) -> int | None:
    """The version that an alias points to; None if there is none, or no such model."""
    model = find_model(model_name(target_llm))
    return _alias(model, alias) if model else None


def proposed_version(target_llm: str, version: int | None = None) -> int:
    """The version that is to be promoted: the challenger, unless another is named.

    Raises:
        RegistryError: no such target LLM or version, or nothing is proposed.
    """
    model = get_model(target_llm)
    there = versions(model.name)
    chosen = _alias(model, CHALLENGER) if version is None else version
    if chosen is None:
        raise RegistryError(
            f"{model.name} has no challenger (versions {there}, champion {_alias(model, CHAMPION)}): train a ranker,"
            " which then is one, or name a version with version=NUMBER."
        )
    if chosen not in there:
        raise RegistryError(f"{model.name} has the versions {there}, but got {chosen}; name one of them.")
    return chosen


def promote(target_llm: str, version: int | None = None) -> int:
    """Make a version (the challenger unless told) the champion and remember the one before; return the version.

    Nothing is asked of it here: the gate (`loop/gate/`) has judged it, or somebody takes it upon himself.

    Raises:
        RegistryError: no such target LLM or version, or nothing is proposed.
    """
    chosen, model = proposed_version(target_llm, version), get_model(target_llm)
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
    model = get_model(target_llm)
    before = _alias(model, PREVIOUS_CHAMPION)
    if before is None:
        raise RegistryError(f"{model.name} has had no champion before this one; promote another version instead.")
    return promote(target_llm, before)


def _alias(model: RegisteredModel, alias: str) -> int | None:
    version = model.aliases.get(alias)
    return None if version is None else int(version)
