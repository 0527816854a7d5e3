"""The gate as a whole, in a real registry, with real (tiny) rankers on a log."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest

from loop.gate.config import GateConfig
from loop.gate.judgement import Judged, judge_challenger
from loop.gate.promote import NotPromoted, promote
from registry import store
from tests import traps
from tests.loop.gate.requests import DAY_S, OTHER_WORDS, known, registered, rows, true_weights, written
from tests.rankers import fetched

LATER_S = time.time() + 3600
"""After any version of these tests was made."""
EARLIER_S = time.time() - 3 * DAY_S


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Fresh requests that came after both rankers were made."""
    return written(tmp_path / "fresh.jsonl", rows(500, LATER_S))


@pytest.fixture
def champion(registry: str, tmp_path: Path) -> int:
    """A ranker that knows its words."""
    version = registered(tmp_path, known(0.5, seed=0))
    return store.promote("demo-llm", version)


def config(**settings: Any) -> GateConfig:
    return GateConfig(**({"target_llm": "demo-llm", "simulated_tokens": 0} | settings))


def unmet(judged: Judged) -> set[str]:
    return {one.name for one in judged.decision.findings if not one.is_met}


def tags(version: int) -> dict[str, str]:
    return dict(mlflow.MlflowClient().get_model_version("pars-demo-llm", str(version)).tags)


def test_an_equally_good_challenger_is_promoted_and_the_decision_is_written_down(
    champion: int, tmp_path: Path, log: Path
) -> None:
    version = registered(tmp_path, known(0.5, seed=1))
    told = promote(config(log=log))
    assert f"version {version} is the champion" in told
    assert store.alias_version("demo-llm") == version
    assert store.alias_version("demo-llm", store.PREVIOUS_CHAMPION) == champion
    assert store.alias_version("demo-llm", store.CHALLENGER) is None
    assert (tags(version)["gate"], "is as required" in tags(version)["gate_reason"]) == ("promoted", True)
    run = mlflow.get_run(tags(version)["gate_run"])
    assert run.info.run_name == "promote demo-llm to version 2"
    assert run.data.tags["mlflow.note.content"].startswith("# demo-llm: version 2 is promoted")
    assert run.data.metrics["is_promoted"] == 1
    assert 0.4 < run.data.metrics["challenger_kendall_tau_b"] < 0.7
    described = mlflow.MlflowClient().get_model_version("pars-demo-llm", "2").description
    assert f"runs/{run.info.run_id}" in described
    of_model = mlflow.MlflowClient().get_registered_model("pars-demo-llm").description
    assert f"last: version 2 promoted. [Why](#/experiments/{run.info.experiment_id}/runs/{run.info.run_id})" in of_model
    assert "`champion`" in of_model, "what stood there before stands there still"
    kept = json.loads(mlflow.artifacts.load_text(f"{run.info.artifact_uri}/gate/decision.json"))
    assert {one["name"] for one in kept["findings"]} >= {"loads", "kendall_tau_b", "static_gain_s_per_token"}
    assert "<svg" in mlflow.artifacts.load_text(f"{run.info.artifact_uri}/gate/tau_by_day.svg")


def test_a_shuffled_challenger_is_refused_and_nothing_is_served_but_the_champion(
    champion: int, tmp_path: Path, log: Path
) -> None:
    dealt = np.random.default_rng(0).permutation([*true_weights().values()]).tolist()
    version = registered(tmp_path, dict(zip(true_weights(), dealt, strict=True)))
    with pytest.raises(NotPromoted, match=r"version 2 is not promoted\. Refused: .*tau-b.*force=REASON"):
        promote(config(log=log))
    assert store.alias_version("demo-llm") == champion
    assert store.alias_version("demo-llm", store.CHALLENGER) == version
    assert tags(version)["gate"] == "refused"
    assert mlflow.get_run(tags(version)["gate_run"]).info.run_name == "do not promote demo-llm to version 2"


def test_a_challenger_of_another_target_llm_is_refused(champion: int, tmp_path: Path, log: Path) -> None:
    registered(tmp_path, known(0.5, seed=1), target_llm="other-llm")
    model = mlflow.MlflowClient().get_model_version("pars-other-llm", "1")
    version = int(mlflow.register_model(model.source, "pars-demo-llm").version)
    with pytest.raises(NotPromoted, match="trained for 'demo-llm', but its card says 'other-llm'"):
        promote(config(log=log, version=str(version)))


def test_a_slow_challenger_is_refused(
    champion: int, tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traps, "SLOW", "river")  # which every fourth prompt holds
    registered(tmp_path, known(0.5, seed=1))
    few = written(tmp_path / "few.jsonl", rows(250, LATER_S))
    assert unmet(judge_challenger(config(log=few))) == {"encoder_ms"}


def test_a_corrupt_challenger_is_refused(champion: int, tmp_path: Path, log: Path) -> None:
    version = registered(tmp_path, known(0.5, seed=1))
    (fetched("demo-llm", version) / "ranker.onnx").write_bytes(b"not a network")
    with pytest.raises(NotPromoted, match="cannot be used"):
        promote(config(log=log))
    shutil.rmtree(fetched("demo-llm", version))
    with pytest.raises(NotPromoted, match="cannot be used"):
        promote(config(log=log))
    assert store.alias_version("demo-llm") == champion


def test_a_challenger_without_an_instant_tier_is_no_match_for_a_champion_with_one(
    champion: int, tmp_path: Path, log: Path
) -> None:
    registered(tmp_path, known(0.5, seed=1), instant_weight=None)
    assert unmet(judge_challenger(config(log=log))) == {"instant_tier"}


def test_a_challenger_whose_instant_tier_alone_is_bad_is_refused(champion: int, tmp_path: Path, log: Path) -> None:
    registered(tmp_path, known(0.5, seed=1), instant_weight=-1.0)
    found = unmet(judge_challenger(config(log=log)))
    assert {"instant_kendall_tau_b", "instant_static_gain_s_per_token"} <= found
    assert "kendall_tau_b" not in found


def test_better_on_average_but_worse_on_one_large_tenant_is_refused(registry: str, tmp_path: Path) -> None:
    truth, vague = true_weights(), known(4.0, seed=0)
    its = {word: truth[word] for word in OTHER_WORDS}
    store.promote("demo-llm", registered(tmp_path, {**vague, **its}))
    registered(tmp_path, {**truth, **dict.fromkeys(its, float(np.mean([*its.values()])))})
    several = rows(800, LATER_S, tenant="large") + rows(200, LATER_S, seed=1, words=OTHER_WORDS, tenant="wronged")
    judged = judge_challenger(config(log=written(tmp_path / "tenants.jsonl", several)))
    metrics = judged.checked.metrics
    assert metrics["challenger_kendall_tau_b"] > metrics["champion_kendall_tau_b"]
    assert unmet(judged) >= {"worst_tenant", "worst_tenant_kendall_tau_b"}
    assert "kendall_tau_b" not in unmet(judged)
    assert any("wronged" in reason for reason in judged.decision.reasons)


def memorised(several: list[dict[str, Any]], marks: list[str]) -> dict[str, float]:
    """Of each request a mark, whose weight is the length of the very answer."""
    return {mark: 10 * float(np.log(row["output_tokens"])) for row, mark in zip(several, marks, strict=True)}
