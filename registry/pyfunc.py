"""A registered ranker as `mlflow.pyfunc`: the loader is this installed code, the artefact holds only data."""

from pathlib import Path
from typing import Any

import pandas as pd

from registry.ranker import Ranker


class PyfuncRanker:
    """What `mlflow.pyfunc.load_model` wraps: a frame with a column `prompt` in, predictions out."""

    def __init__(self, ranker: Ranker) -> None:
        self._ranker = ranker

    def predict(
        self,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002 (part of the interface)
    ) -> pd.DataFrame:
        """One row of `score`, `predicted_tokens` and `quantile` for each prompt; `params` is not used."""
        predictions = [self._ranker.predict(prompt) for prompt in model_input["prompt"]]
        return pd.DataFrame(predictions, columns=["score", "predicted_tokens", "quantile"])


def _load_pyfunc(path: str) -> PyfuncRanker:
    return PyfuncRanker(Ranker.load(Path(path)))
