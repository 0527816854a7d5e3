"""A registered ranker as `mlflow.pyfunc`: the loader is this installed code, the artefact holds only data."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types.schema import ColSpec, DataType, ParamSchema, ParamSpec, Schema

from registry.artefact.files import names_in, served_files
from registry.ranker import Ranker, Tier

DEFAULT_TIER: Tier = "encoder"
SIGNATURE = ModelSignature(
    inputs=Schema([ColSpec(DataType.string, "prompt")]),
    outputs=Schema([ColSpec(DataType.double, name) for name in ("score", "predicted_tokens", "quantile")]),
    params=ParamSchema([ParamSpec("tier", DataType.string, DEFAULT_TIER)]),
)
REQUIREMENTS = ["numpy", "onnxruntime", "pandas", "pydantic", "tokenizers", "tqdm"]


class PyfuncRanker:
    """What `mlflow.pyfunc.load_model` wraps: a frame with a column `prompt` in, predictions out."""

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
        """
        tier: Tier = (params or {}).get("tier", DEFAULT_TIER)
        predictions = [self._ranker.predict(prompt, tier) for prompt in model_input["prompt"]]
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


def _load_pyfunc(path: str) -> PyfuncRanker:
    return PyfuncRanker(Ranker.load(Path(path)))
