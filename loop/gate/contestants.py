"""The versions that are compared: the challenger and, if there is one, the champion."""

from collections.abc import Mapping
from dataclasses import dataclass

import mlflow
from mlflow.exceptions import MlflowException

from registry import store
from registry.artefact.card import InvalidRanker
from registry.ranker import Ranker
from traffic.rows.arrival_window import ArrivalWindow

NOTHING = "None"
"""How MLflow shows a setting that was not given."""


@dataclass(frozen=True)
class Contestant:
    """A version, and its ranker if that can be had."""

    name: str
    """Of the registered model."""
    version: int
    made_s: float
    """When it was registered, in seconds since 1970."""
    data_until_s: float
    """What arrived from then on did not train it: its training's `before`, if that was given."""
    params: Mapping[str, str]
    """The settings of its training."""
    ranker: Ranker | None
    fault: str = ""
    """Why there is no ranker: a sentence."""

    @property
    def uri(self) -> str:
        """How MLflow calls it."""
        return f"models:/{self.name}/{self.version}"


@dataclass(frozen=True)
class Contest:
    """Who wants to become the champion, and who is it."""

    target_llm: str
    challenger: Contestant
    champion: Contestant | None

    @property
    def rankers(self) -> Mapping[str, Ranker]:
        """Those that can be had, by who they are."""
        both = {"challenger": self.challenger, "champion": self.champion}
        return {who: one.ranker for who, one in both.items() if one is not None and one.ranker is not None}


def read_contest(target_llm: str, version: int) -> Contest:
    """Fetch both from the registry; whoever cannot be loaded is there without a ranker."""
    champion = store.alias_version(target_llm)
    return Contest(
        target_llm,
        read_contestant(target_llm, version),
        None if champion in (None, version) else read_contestant(target_llm, champion),
    )


def read_contestant(target_llm: str, version: int) -> Contestant:
    """Fetch one; it is there without a ranker, and with a fault, if that cannot be loaded."""
    name = store.model_name(target_llm)
    found = mlflow.MlflowClient().get_model_version(name, str(version))
    made_s = found.creation_timestamp / 1000
    params = _params(found.run_id)
    until_s = min(made_s, ArrivalWindow.of(None, params.get("before")).before_s)
    ranker, fault = _loaded(f"models:/{name}/{version}", target_llm)
    return Contestant(name, version, made_s, until_s, params, ranker, fault)


def _params(run_id: str | None) -> Mapping[str, str]:
    """What the run that made it was given, but for what was not; nothing where nobody has that run any more."""
    try:
        shown = mlflow.get_run(run_id).data.params if run_id else {}
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        shown = {}
    return {name: value for name, value in shown.items() if value != NOTHING}


def _loaded(uri: str, target_llm: str) -> tuple[Ranker | None, str]:
    try:
        return Ranker.load(store.ranker_folder(uri), target_llm), ""
    except (InvalidRanker, store.RegistryError) as error:
        return None, str(error)
