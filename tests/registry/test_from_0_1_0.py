"""A model that version 0.1.0 registered, by what stood in its files then: it loads, promotes and predicts."""

import json
from pathlib import Path

import mlflow
import pandas as pd
import pytest

from registry import store
from registry.artefact.files import ONNX_FILE, TOKENIZER_FILE, sha256_of
from registry.ranker import Ranker
from registry.request_features import view_of
from tests.rankers import fetched, write_ranker

MLMODEL = """\
flavors:
  python_function:
    code: null
    data: data/tmpwjswhaxc
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    loader_module: registry.pyfunc
    python_version: 3.11.7
    streamable: false
mlflow_version: 3.17.2
signature:
  inputs: '[{"type": "string", "name": "prompt", "required": true}]'
  outputs: '[{"type": "double", "name": "score", "required": true}, {"type": "double",
    "name": "predicted_tokens", "required": true}, {"type": "double", "name": "quantile",
    "required": true}]'
  params: null
"""
CARD = {
    "target_llm": "demo-llm",
    "encoder": "sum-of-weights",
    "max_tokens": 128,
    "text_rendering": "head-tail-1",
    "data_digest": "0" * 64,
    "training_prompts": 100,
    "seed": 0,
    "calibration": {"scores": [0.0, 100.0], "log_tokens": [0.0, 10.0], "tail_slope_log_tokens": 0.1},
    "distribution": {"tokens": [1.0, 2.0, 4.0, 8.0], "band_log_tokens": 0.0},
    "metrics": {"kendall_tau_b": 0.5},
}


@pytest.fixture
def registered(registry: str, tmp_path: Path) -> str:
    """The name of the registered model."""
    data = write_ranker(tmp_path / "model" / "data" / "tmpwjswhaxc")
    digests = {name: sha256_of(data / name) for name in (ONNX_FILE, TOKENIZER_FILE)}
    (data / "card.json").write_text(json.dumps({**CARD, "sha256": digests}))
    (tmp_path / "model" / "MLmodel").write_text(MLMODEL)
    with mlflow.start_run() as run:
        mlflow.log_artifacts(str(tmp_path / "model"), "model")
    mlflow.register_model(f"{run.info.artifact_uri}/model", "pars-demo-llm", tags={"target_llm": "demo-llm"})
    mlflow.MlflowClient().set_registered_model_alias("pars-demo-llm", "challenger", "1")  # as it did
    return "pars-demo-llm"


def test_it_is_promoted_and_loads_as_it_would_be_served(registered: str) -> None:
    assert store.promote("demo-llm") == 1
    champion = Ranker.load(fetched("demo-llm", 1), "demo-llm")
    assert champion.predict("one two").score == 2
    assert champion.predict(view_of("one two", {"max_tokens": 5})).score == 2, "it reads the text alone"
    assert champion.card.features == () and champion.card.features_version is None
    assert champion.card.grouped_by == (None,), "that version did not say"
    assert champion.reference_error is None, "that version wrote no reference scores"
    assert champion.predict("one two").predicted_tokens == pytest.approx(1.2214, abs=1e-4)
    assert store.model_name("demo-llm") == registered


def test_mlflow_loads_it_through_the_module_that_it_names(registered: str) -> None:
    answer = mlflow.pyfunc.load_model(f"models:/{registered}/1").predict(pd.DataFrame({"prompt": ["one two"]}))
    assert list(answer.columns) == ["score", "predicted_tokens", "quantile"]
    assert answer.score.tolist() == [2.0]
