"""The float weights of a ranker, for another training to start from. Serving never needs them.

The served graph is int8, which cannot be trained on. So a training keeps its float weights too, as safetensors (data
only), with their digest in the card: in the ranker's folder, or among the artefacts of the run that registered it.
"""

from pathlib import Path

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import Model

from registry import store
from registry.artefact.card import InvalidRanker, RankerCard
from registry.artefact.files import WEIGHTS_FILE, check_digest


def fetch_weights(uri: str) -> tuple[RankerCard, Path]:
    """The card and the local weights file of a ranker: `models:/NAME@ALIAS`, `models:/NAME/VERSION`, or a folder.

    Raises:
        RegistryError: the registry does not have the ranker, or its run no longer has the weights.
        InvalidRanker: no ranker, one without float weights, or weights that are not the card's.
    """
    folder = store.ranker_folder(uri)
    card = RankerCard.read(folder)
    if WEIGHTS_FILE not in card.sha256:
        raise InvalidRanker(
            f"a training can only start from a ranker with float weights, but the card of {uri} names no"
            f" {WEIGHTS_FILE}; train that ranker anew."
        )
    path = _of_run(folder, uri) if uri.startswith("models:/") else folder / WEIGHTS_FILE
    check_digest(path, card.sha256[WEIGHTS_FILE])
    return card, path


def _of_run(folder: Path, uri: str) -> Path:
    run_id = Model.load(folder.parents[1]).run_id
    try:  # not `runs:/...`, which copies even what is here already
        return Path(mlflow.artifacts.download_artifacts(f"{mlflow.get_run(run_id).info.artifact_uri}/{WEIGHTS_FILE}"))
    except (MlflowException, OSError) as error:
        raise store.RegistryError(
            f"the float weights of {uri} must be among the artefacts of its run {run_id}, but cannot be had: {error}"
        ) from error
