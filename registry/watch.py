"""What a running server asks of the registry: which version is the champion, what its tag says, and its files."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import mlflow
import yaml
from mlflow.exceptions import MlflowException
from mlflow.models import Model

from registry import store
from registry.artefact.card import CARD_FILE, InvalidRanker, RankerCard
from registry.artefact.files import served_files
from registry.promotion import GATE_TAG
from registry.secrets import without_passwords
from registry.tracking import configure_tracking

MODEL_FILE = "MLmodel"
YESTERDAY_TAG = "yesterday"
"""Of a registered model: what `-e yesterday` has found last, as JSON."""
WATCH_TAG, WATCH_AT_TAG = "watch", "watch_at"
"""Of a registered model: `quiet` or `alarm: WHAT`, as `-e watch` has found last, and when."""
QUIET = "quiet"


@dataclass(frozen=True)
class RegisteredVersion:
    """A version in the registry."""

    number: int
    origin: str
    """When it was made, and of what: a model that is deleted and made anew counts from 1 again."""
    gate: str | None = field(default=None, compare=False)
    """What the gate has decided of it, as its tag says; None if it passed none: its alias was moved by hand."""


@dataclass(frozen=True)
class Sighting:
    """What one look at a registered model has seen."""

    champion: RegisteredVersion | None
    ordering: str | None = None
    """What its tag `ordering` says; None if there is none."""
    yesterday: str | None = None
    """What its tag `yesterday` says, as JSON; None if there is none."""


def watch_state(alarms: Iterable[str]) -> str:
    """What the tag `watch` says while these alarms stand."""
    raised = ", ".join(alarms)
    return f"alarm: {raised}" if raised else QUIET


def look(target_llm: str) -> Sighting:
    """See which version of a target LLM's ranker is the champion now, and what its tag says.

    Raises: whatever MLflow lets through of its HTTP or database library, if the registry cannot be asked.
    """
    model = store.find_model(store.model_name(target_llm))
    if model is None:
        return Sighting(None)
    number = model.aliases.get(store.CHAMPION)
    champion = None if number is None else _version(model.name, number)
    return Sighting(champion, model.tags.get(store.ORDERING_TAG), model.tags.get(YESTERDAY_TAG))


def download(target_llm: str, version: int, into: Path) -> None:
    """Download the files of a version's ranker into an empty folder, and nothing else of that version.

    Raises:
        InvalidRanker: the version is no ranker.
        RegistryError: its files cannot be had.
    """
    uri = f"models:/{store.model_name(target_llm)}/{version}"
    try:
        with TemporaryDirectory(dir=into) as part:
            data = f"{uri}/{data_folder(Path(_had(f'{uri}/{MODEL_FILE}', part)))}"  # of any model, only this is needed
            for name in _served_files(data):
                Path(_had(f"{data}/{name}", part)).replace(into / name)
    except InvalidRanker:
        raise
    except Exception as error:  # MLflow lets through what the library of each kind of store raises
        raise store.RegistryError(
            f"{uri} cannot be had from the registry at {configure_tracking()}: {error}"
        ) from error


def card_of(uri: str) -> RankerCard:
    """The card of a registered version by its address, `models:/NAME/VERSION`; of its files no other is downloaded.

    Raises:
        InvalidRanker: the version is no ranker.
        RegistryError: it cannot be had.
    """
    try:
        with TemporaryDirectory() as part:
            data = f"{uri}/{data_folder(Path(_had(f'{uri}/{MODEL_FILE}', part)))}"
            return RankerCard.read(Path(_had(f"{data}/{CARD_FILE}", part)).parent)
    except InvalidRanker:
        raise
    except Exception as error:  # MLflow lets through what the library of each kind of store raises
        raise store.RegistryError(
            f"{uri} cannot be had from the registry at {without_passwords(configure_tracking())}:"
            f" {without_passwords(error)}"
        ) from error


def _version(name: str, number: str | int) -> RegisteredVersion:
    found = mlflow.MlflowClient().get_model_version(name, str(number))
    return RegisteredVersion(int(found.version), f"{found.creation_timestamp} {found.source}", found.tags.get(GATE_TAG))


def data_folder(model_file: Path) -> PurePosixPath:
    """Where in a model the ranker lies, seen from the folder of its file `MLmodel`.

    Raises:
        InvalidRanker: it is another kind of model.
    """
    try:
        folder = PurePosixPath(str(Model.load(model_file).flavors["python_function"]["data"]))
    except (MlflowException, LookupError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise InvalidRanker("it must be a ranker, but is another kind of model.") from error
    if folder.is_absolute() or ".." in folder.parts:
        raise InvalidRanker(f"a ranker lies inside of its model, but this one in {folder}.")
    return folder


def _served_files(data: str) -> tuple[str, ...]:
    return served_files({PurePosixPath(one.path).name for one in mlflow.artifacts.list_artifacts(artifact_uri=data)})


def _had(uri: str, part: str) -> str:
    return mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=part)
