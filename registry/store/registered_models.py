"""A registered model for each target LLM: its name, its versions and its tags."""

import re

import mlflow
from mlflow.entities.model_registry import RegisteredModel
from mlflow.exceptions import MlflowException

from registry.errors import UserError

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


def find_model(name: str) -> RegisteredModel | None:
    """The registered model of this name; None if there is none."""
    try:
        return mlflow.MlflowClient().get_registered_model(name)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise


def get_model(target_llm: str) -> RegisteredModel:
    """The registered model of a target LLM, which has a version.

    Raises:
        RegistryError: no ranker is registered for it.
    """
    model = find_model(model_name(target_llm))
    if model is None or not versions(model.name):
        known = sorted(one.name for one in mlflow.MlflowClient().search_registered_models("name LIKE 'pars-%'"))
        raise RegistryError(
            f"no ranker is registered for the target LLM {target_llm!r} at {mlflow.get_tracking_uri()}"
            f" (registered: {', '.join(known) or 'none'}); train one with"
            f" `mlflow run . --env-manager local -P target_llm={target_llm} -P lengths=FILE`."
        )
    return model


def versions(name: str) -> list[int]:
    """The numbers of all versions of a registered model."""
    return sorted(int(one.version) for one in mlflow.MlflowClient().search_model_versions(f"name = '{name}'"))


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
    mlflow.MlflowClient().set_registered_model_tag(get_model(target_llm).name, name, value)
