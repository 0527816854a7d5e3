"""A registered ranker as `mlflow.pyfunc`: the loader is this installed code, the artefact holds only data."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from itertools import repeat
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types.schema import ColSpec, DataType, ParamSchema, ParamSpec, Schema

from registry.artefact.files import names_in, served_files
from registry.errors import InvalidInput
from registry.ranker import Ranker, Tier
from registry.request_features import view_of

DEFAULT_TIER: Tier = "encoder"
PARAMS = "params"
"""An optional column: what is asked for beside the prompt, as the JSON of a request's body (`max_tokens`, `tools`,
`reasoning_effort`, ...)."""
SIGNATURE = ModelSignature(
    inputs=Schema([ColSpec(DataType.string, "prompt"), ColSpec(DataType.string, PARAMS, required=False)]),
    outputs=Schema([ColSpec(DataType.double, name) for name in ("score", "predicted_tokens", "quantile")]),
    params=ParamSchema([ParamSpec("tier", DataType.string, DEFAULT_TIER)]),
)
REQUIREMENTS = ["numpy", "onnxruntime", "pandas", "pydantic", "tokenizers"]


class PyfuncRanker:
    """What `mlflow.pyfunc.load_model` wraps: a column `prompt`, and `params` if known, in, predictions out."""

    def __init__(self, ranker: Ranker) -> None:
        self._ranker = ranker

    def predict(
        self,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """One row of `score`, `predicted_tokens` and `quantile` for each prompt, by the tier that `params` names.

        Raises:
            InvalidRanker: the ranker has no such tier.
            InvalidInput: a cell of `params` is no JSON object.
        """
        tier: Tier = (params or {}).get("tier", DEFAULT_TIER)
        asked = map(_asked_in, model_input[PARAMS]) if PARAMS in model_input else repeat(None)
        views = map(view_of, model_input["prompt"], asked)
        predictions = [self._ranker.predict(view, tier) for view in views]
        return pd.DataFrame(predictions, columns=["score", "predicted_tokens", "quantile"])


def log_model(folder: Path, metrics: Mapping[str, float]) -> str:
    """Log a ranker's folder as a model of the active run and return its address."""
    with tempfile.TemporaryDirectory() as data:
        for name in served_files(names_in(folder)):
            shutil.copy(folder / name, data)
        info = mlflow.pyfunc.log_model(
            name="ranker",
            loader_module="registry.pyfunc",
            data_path=data,
            signature=SIGNATURE,
            input_example=pd.DataFrame({"prompt": ["Name three primary colours."]}),
            pip_requirements=REQUIREMENTS,
            metadata={"metrics": dict(metrics)},
        )
    return str(info.model_uri)


def _asked_in(cell: Any) -> dict[str, Any] | None:
    """What stands in a cell of the column `params`; None where nobody knows it."""
    if not isinstance(cell, str):  # None, or NaN
        return None
    try:
        asked = json.loads(cell)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise InvalidInput(
            f"the column {PARAMS!r} must hold JSON objects, as a request's body is one, but got {cell[:40]!r}; leave"
            " the cell empty where nothing is known."
        )
    return asked


def _load_pyfunc(path: str) -> PyfuncRanker:
    return PyfuncRanker(Ranker.load(Path(path)))
