"""Versions and aliases in a real MLflow registry."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED

from cli.actions.registrations import RollbackConfig, rollback
from registry import store
from registry.ranker import Ranker
from tests.rankers import fetched, write_ranker
from tests.registry.planted import Planted


def register(folder: Path, target_llm: str = "demo-llm", weight: float = 1.0) -> int:
    with mlflow.start_run():
        return store.register(write_ranker(folder / f"{target_llm.replace('/', '-')}{weight}", target_llm, weight))


@pytest.mark.parametrize(
    ("target_llm", "name"),
    [
        ("gpt-4", "pars-gpt-4"),
        ("meta-llama/Llama-3.1:8B", "pars-meta-llama-llama-3.1-8b"),
        ("My LLM", "pars-my-llm"),
    ],
)
def test_name_is_one_that_mlflow_takes(target_llm: str, name: str) -> None:
    assert store.model_name(target_llm) == name


def test_name_without_a_letter_is_refused() -> None:
    with pytest.raises(store.RegistryError, match="'//'"):
        store.model_name("//")


def test_life_of_the_champion(registry: str, tmp_path: Path) -> None:
    assert store.alias_version("demo-llm") is None
    first, second = register(tmp_path, weight=1.0), register(tmp_path, weight=2.0)
    assert (first, second) == (1, 2)
    assert store.alias_version("demo-llm") is None
    assert store.alias_version("demo-llm", store.CHALLENGER) == 2
    with pytest.raises(store.RegistryError, match="no champion before"):
        store.rollback("demo-llm")
    assert store.promote("demo-llm", 1) == 1
    assert store.promote("demo-llm") == store.alias_version("demo-llm") == 2
    assert store.alias_version("demo-llm", store.CHALLENGER) is None
    with pytest.raises(store.RegistryError, match=r"no challenger \(versions \[1, 2\], champion 2\): train a ranker"):
        store.promote("demo-llm")
    assert store.promote("demo-llm", 2) == 2
    assert store.rollback("demo-llm") == store.alias_version("demo-llm") == 1
    assert store.rollback("demo-llm") == store.alias_version("demo-llm") == 2


def test_run_of_a_rollback_is_named_by_what_it_did(
    registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for weight in (1.0, 2.0):
        register(tmp_path, weight=weight)
        store.promote("demo-llm")
    with mlflow.start_run() as run:
        pass
    monkeypatch.setenv("MLFLOW_RUN_ID", run.info.run_id)
    assert "version" in rollback(RollbackConfig(target_llm="demo-llm"))
    monkeypatch.delenv("MLFLOW_RUN_ID")
    assert mlflow.get_run(run.info.run_id).info.run_name == "roll demo-llm back to version 1"


def test_rollback_does_not_fail_over_a_run_that_is_not_there(
    registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for weight in (1.0, 2.0):
        register(tmp_path, weight=weight)
        store.promote("demo-llm")
    monkeypatch.setenv("MLFLOW_RUN_ID", "0" * 32)
    assert "version 1 is the champion again." in rollback(RollbackConfig(target_llm="demo-llm"))


def test_registered_ranker_loads_by_alias_version_and_pyfunc(registry: str, tmp_path: Path) -> None:
    version = register(tmp_path, "meta-llama/Llama-3")
    store.promote("meta-llama/Llama-3")
    name = store.model_name("meta-llama/Llama-3")
    by_version = Ranker.load(fetched("meta-llama/Llama-3", version), "meta-llama/Llama-3")
    by_alias = store.load_ranker(f"models:/{name}@champion")
    assert by_alias.card == by_version.card
    assert mlflow.MlflowClient().get_registered_model(name).tags["target_llm"] == "meta-llama/Llama-3"
    tags = mlflow.MlflowClient().get_model_version(name, str(version)).tags
    assert (tags["kendall_tau_b"], tags["encoder"]) == ("0.5", by_version.card.encoder)
    answer = mlflow.pyfunc.load_model(f"models:/{name}/{version}").predict(pd.DataFrame({"prompt": ["Hi", "Hi there"]}))
    assert list(answer.columns) == ["score", "predicted_tokens", "quantile"]
    assert answer.score.tolist() == [by_alias.scorer.score("Hi"), by_alias.scorer.score("Hi there")]


def test_artefact_holds_data_only(registry: str, tmp_path: Path) -> None:
    version = register(tmp_path)
    logged = fetched("demo-llm", version).parent.parent
    files = {path.suffix for path in logged.rglob("*") if path.is_file()}
    assert not files & {".py", ".pkl", ".pickle", ".pt", ".bin"}


def test_pickle_and_code_planted_in_a_registered_version_are_not_touched(registry: str, tmp_path: Path) -> None:
    trace, version = tmp_path / "trace", register(tmp_path)
    logged = fetched("demo-llm", version).parents[1]
    for folder in {path.parent for path in logged.rglob("*")}:
        for name in ("python_model.pkl", "model.pkl", "data.pickle", "pytorch_model.bin"):
            (folder / name).write_bytes(pickle.dumps(Planted(trace)))
        for name in ("sitecustomize.py", "registry.py", "__init__.py"):
            (folder / name).write_text(f"open({str(trace)!r}, 'w').close()")
    Ranker.load(fetched("demo-llm", version), "demo-llm").predict("Hi")
    mlflow.pyfunc.load_model(f"models:/{store.model_name('demo-llm')}/{version}").predict(
        pd.DataFrame({"prompt": ["Hi"]})
    )
    assert not trace.exists()
    pickle.loads((logged / "model.pkl").read_bytes())
    assert trace.exists(), "the trap works"


def test_slug_of_another_target_llm_is_refused(registry: str, tmp_path: Path) -> None:
    register(tmp_path, "org/llm")
    with pytest.raises(store.RegistryError, match="belongs to the target LLM 'org/llm', but got 'org-llm'"):
        register(tmp_path, "org-llm")
    assert store.promote("org/llm") == 1


def test_unknown_versions_are_named(registry: str, tmp_path: Path) -> None:
    register(tmp_path)
    with pytest.raises(store.RegistryError, match=r"has the versions \[1\], but got 7"):
        store.promote("demo-llm", 7)
    with pytest.raises(store.RegistryError, match="models:/pars-demo-llm/7"):
        store.load_ranker("models:/pars-demo-llm/7")
    with pytest.raises(store.RegistryError, match="models:/pars-demo-llm@champion"):
        store.load_ranker("models:/pars-demo-llm@champion")


def run_registry(uri: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"MLFLOW_TRACKING_URI": uri}
    command = [sys.executable, "-m", "registry", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("state", ["off", "on"])
def test_command_line_switches_ordering_by_a_tag(registry: str, tmp_path: Path, state: str) -> None:
    register(tmp_path, "org/llm")
    done = run_registry(registry, "ordering", "--target-llm", "org/llm", "--state", state)
    assert f"pars-org-llm: ordering is {state}." in done.stdout, done.stderr
    assert mlflow.MlflowClient().get_registered_model("pars-org-llm").tags["ordering"] == state
    wrong = run_registry(registry, "ordering", "--target-llm", "org/llm", "--state", "perhaps")
    assert wrong.returncode != 0 and "perhaps" in wrong.stderr
    nobody = run_registry(registry, "ordering", "--target-llm", "nobody", "--state", "off")
    assert nobody.returncode == 1 and "no ranker is registered for the target LLM 'nobody'" in nobody.stderr


@pytest.mark.parametrize("command", ["promote", "rollback"])
def test_empty_registry_is_one_clear_sentence(registry: str, command: str) -> None:
    done = run_registry(registry, command, "--target-llm", "nobody")
    assert done.returncode == 1
    assert "no ranker is registered for the target LLM 'nobody'" in done.stderr
    assert "Traceback" not in done.stderr


def test_command_line_promotes_and_rolls_back(registry: str, tmp_path: Path) -> None:
    register(tmp_path, weight=1.0)
    register(tmp_path, weight=2.0)
    assert (
        "version 1 is the champion"
        in run_registry(registry, "promote", "--target-llm", "demo-llm", "--version", "1").stdout
    )
    assert (
        "version 2 is the champion"
        in run_registry(registry, "promote", "--target-llm", "demo-llm", "--version", "").stdout
    )
    assert "version 1 is the champion again" in run_registry(registry, "rollback", "--target-llm", "demo-llm").stdout
    wrong = run_registry(registry, "promote", "--target-llm", "demo-llm", "--version", "one")
    assert wrong.returncode == 1 and "'one'" in wrong.stderr


@pytest.mark.usefixtures("registry")
def test_who_may_set_aliases_but_not_delete_them_promotes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with mlflow.start_run():
        version = store.register(write_ranker(tmp_path / "ranker", "org/LLM"))

    def forbidden(*_: object) -> None:
        raise MlflowException("failed with error code 403 != 200.", error_code=PERMISSION_DENIED)

    monkeypatch.setattr(mlflow.MlflowClient, "delete_registered_model_alias", forbidden)
    assert store.promote("org/LLM") == version == store.alias_version("org/LLM")
    assert "may not delete aliases" in caplog.text
