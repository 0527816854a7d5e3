"""A registered ranker as `mlflow.pyfunc` loads it."""

from pathlib import Path

import mlflow
import pandas as pd
import pytest

from registry import store
from registry.errors import InvalidInput
from tests.rankers import write_ranker


def test_params_choose_the_tier_and_the_encoder_is_the_default(registry: str, tmp_path: Path) -> None:
    with mlflow.start_run():
        version = store.register(write_ranker(tmp_path / "ranker", instant_weight=2.0))
    loaded = mlflow.pyfunc.load_model(f"models:/pars-demo-llm/{version}")
    frame = pd.DataFrame({"prompt": ["one two", "three"]})
    encoder, instant = (loaded.predict(frame, params={"tier": tier}).score for tier in ("encoder", "instant"))
    assert loaded.predict(frame).score.tolist() == encoder.tolist() == [2, 1]
    assert instant.tolist() == [4, 2]


def test_what_is_asked_for_may_stand_beside_the_prompt(registry: str, tmp_path: Path) -> None:
    with mlflow.start_run():
        version = store.register(write_ranker(tmp_path / "ranker", feature_weights={"temperature": 10.0}))
    loaded = mlflow.pyfunc.load_model(f"models:/pars-demo-llm/{version}")
    frame = pd.DataFrame({"prompt": ["one two"] * 3, "params": ['{"temperature": 0.5}', "{}", None]})
    assert loaded.predict(frame).score.tolist() == [7, 2, 2]
    assert loaded.predict(frame[["prompt"]]).score.tolist() == [2, 2, 2]
    with pytest.raises(InvalidInput, match=r"must hold JSON objects, .* but got '\[1\]'"):
        loaded.predict(pd.DataFrame({"prompt": ["one"], "params": ["[1]"]}))
