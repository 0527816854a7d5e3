"""A ranker's files, from wherever they are."""

from pathlib import Path

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import Model

from registry.ranker import Ranker
from registry.store.registered_models import RegistryError


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
