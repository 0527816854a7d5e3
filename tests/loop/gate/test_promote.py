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
from registry.errors import InvalidInput
from tests import traps
from tests.conftest import Command
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
    assert "- In tau-b of the encoder tier the challenger is not worse than the champion: " in told
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
    monkeypatch.setattr(traps, "MULTIPLICATIONS_A_WORD", 120)
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


def test_promoting_the_champion_changes_nothing(champion: int, log: Path) -> None:
    assert "version 1 is the champion already; nothing changes" in promote(config(version="1", log=log))
    assert "gate" not in tags(champion)


def test_without_a_challenger_it_says_what_to_do(champion: int, log: Path) -> None:
    says = r"no challenger \(versions \[1\], champion 1\): train a ranker.*version="
    with pytest.raises(store.RegistryError, match=says):
        promote(config(log=log))


def test_an_alias_that_is_moved_by_hand_passed_no_gate(champion: int, tmp_path: Path) -> None:
    version = registered(tmp_path, known(0.5, seed=1))
    mlflow.MlflowClient().set_registered_model_alias("pars-demo-llm", store.CHAMPION, str(version))
    assert store.alias_version("demo-llm") == version
    assert "gate" not in tags(version)


def test_force_promotes_what_is_refused_and_is_recorded(champion: int, tmp_path: Path, log: Path) -> None:
    version = registered(tmp_path, known(30.0, seed=1))
    assert "Forced (a demonstration), in spite of: " in promote(config(log=log, force="a demonstration"))
    assert store.alias_version("demo-llm") == version
    assert tags(version)["gate"] == "forced"
    run = mlflow.get_run(tags(version)["gate_run"])
    assert "**Forced:** a demonstration" in run.data.tags["mlflow.note.content"]
    with pytest.raises(InvalidInput, match="force must say why"):
        config(force=" ")


def test_without_requests_a_champion_is_replaced_on_the_artefact_alone_and_that_is_said(
    champion: int, tmp_path: Path
) -> None:
    version = registered(tmp_path, known(0.5, seed=1))
    told = promote(config())
    assert f"version {version} is the champion" in told
    assert "Only the artefact was looked at" in told
    assert "no run says on which log it was trained" in told


@pytest.mark.parametrize(("noise", "is_good"), [(0.5, True), (None, False)])
def test_without_a_champion_the_order_must_be_better_than_chance(
    registry: str, tmp_path: Path, noise: float | None, is_good: bool
) -> None:
    dealt = np.random.default_rng(0).permutation([*true_weights().values()]).tolist()
    weights = dict(zip(true_weights(), dealt, strict=True)) if noise is None else known(noise, seed=0)
    registered(tmp_path, weights)
    judged = judge_challenger(config(log=written(tmp_path / "few.jsonl", rows(100, LATER_S))))
    assert judged.decision.is_promoted is is_good
    assert "There is no champion to compare with." in judged.checked.notes


def test_too_few_requests_replace_no_champion(champion: int, tmp_path: Path) -> None:
    registered(tmp_path, known(0.5, seed=1))
    few = written(tmp_path / "few.jsonl", rows(199, LATER_S))
    judged = judge_challenger(config(log=few))
    assert unmet(judged) == {"missing_requests"}
    assert "199 requests can be judged on" in judged.decision.sentence
    assert judge_challenger(config(log=few, least_requests=199)).decision.is_promoted


def test_the_command_ends_with_1_where_it_does_not_promote(
    champion: int, tmp_path: Path, log: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    registered(tmp_path, known(30.0, seed=1))
    words = ["promote", "--target-llm", "demo-llm", "--log", str(log), "--simulated-tokens", "0"]
    assert command(*words) == 1
    assert "version 2 is not promoted. Refused: In tau-b" in capsys.readouterr().err
    assert command(*words, "--force", "a demonstration") == 0
    assert "version 2 is the champion" in capsys.readouterr().out


def test_a_champion_that_does_not_load_is_no_match(champion: int, tmp_path: Path, log: Path) -> None:
    registered(tmp_path, known(0.5, seed=1))
    (fetched("demo-llm", champion) / "ranker.onnx").write_bytes(b"not a network")
    judged = judge_challenger(config(log=log))
    assert judged.decision.is_promoted
    assert any("The champion, version 1, cannot be used here" in note for note in judged.checked.notes)


def test_another_champion_meanwhile_ends_it(
    champion: int, tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, version = (registered(tmp_path, known(0.5, seed)) for seed in (2, 1))

    def judge_slowly(settings: GateConfig) -> Judged:
        judged = judge_challenger(settings)
        store.promote("demo-llm", other)
        return judged

    monkeypatch.setattr("loop.gate.promote.judge_challenger", judge_slowly)
    with pytest.raises(store.RegistryError, match=r"compared with \(version 1\), but is version 2 by now"):
        promote(config(log=log))
    assert store.alias_version("demo-llm") == other
    assert "gate" not in tags(version)
