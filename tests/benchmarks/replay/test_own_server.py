"""The server that a replay starts: which rankers it serves, and under which names."""

import shutil
from dataclasses import replace
from pathlib import Path

import mlflow
import pytest

from benchmarks.replay.config import ReplayConfig
from benchmarks.replay.own_server import OwnRankers, own_rankers, served_names
from registry import store
from registry.ranker import Ranker
from serving.champion.start import NoRanker
from serving.config import Settings
from serving.hosts.engine import parse_vllm_args
from serving.hosts.served_names import check_rankers
from tests.conftest import tracking
from tests.rankers import write_ranker

FOLDERS = {"org/llm": Path("/c"), "pars-control": Path("/k"), "pars-control-mirror": Path("/m")}
CONFIG = ReplayConfig(lengths=Path("none"), target_llm="org/llm", llm="/models/llm", vllm_args="--dtype float32")


def settings(config: ReplayConfig, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """As the server reads them."""
    for name, value in OwnRankers("models:/pars-x/1", folders, "sqlite:///none").settings(config).items():
        monkeypatch.setenv(name, value)
    return Settings()


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        ("--dtype float32", ["org/llm", "/models/llm"]),
        ("--served-model-name a 'b c' --dtype float32", ["a", "b c"]),
        ("--served_model_name=a", ["a"]),
    ],
)
def test_control_is_served_beside_every_name_of_the_model(
    flags: str, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = settings(replace(CONFIG, vllm_args=flags), FOLDERS, monkeypatch)
    assert found.rankers == dict.fromkeys(names, "org/llm") | {one: one for one in list(FOLDERS)[1:]}
    assert found.fallback_ranker == FOLDERS
    assert served_names(found.vllm_args) == [*names, "pars-control", "pars-control-mirror"]
    args = parse_vllm_args(found)
    check_rankers(found, args)
    assert args.served_model_name[0] == names[0], "the client asks for the first one"


def test_without_a_control_one_ranker_is_for_every_name(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings(CONFIG, {"org/llm": Path("/c")}, monkeypatch)
    assert (found.rankers, found.fallback_of("org/llm")) == ({}, Path("/c"))
    assert found.require_ranker
    assert not found.cap_by_max_tokens


@pytest.mark.parametrize("flags", ["", " --tool-call-parser pythonic --enable-auto-tool-choice"])
def test_chats_with_tools_have_a_parser(flags: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = replace(CONFIG, vllm_args=f"--dtype float32{flags}")
    for name, value in OwnRankers("models:/pars-x/1", FOLDERS, "sqlite:///none", True).settings(config).items():
        monkeypatch.setenv(name, value)
    args = parse_vllm_args(Settings())
    assert (args.enable_auto_tool_choice, args.tool_call_parser) == (True, "pythonic" if flags else "hermes")


def test_cap_is_on_only_where_a_leak_is_planted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(replace(CONFIG, cap_by_max_tokens="on"), FOLDERS, monkeypatch).cap_by_max_tokens


def test_rankers_are_copies_and_the_registry_hears_of_nothing(
    tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copyfile(empty_database, tmp_path / "mlflow.db")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with tracking(f"sqlite:///{tmp_path / 'mlflow.db'}"):
        experiment = mlflow.create_experiment("own", (tmp_path / "artifacts").as_uri())
        for weight in (1.0, -1.0):
            with mlflow.start_run(experiment_id=experiment):
                store.register(write_ranker(tmp_path / f"weight{weight}", "org/llm", weight=weight))
        with pytest.raises(NoRanker), own_rankers(CONFIG, (), has_control=False):
            pass
        store.promote("org/llm", 1)
        control = replace(CONFIG, control=str(tmp_path / "weight-1.0"))
        with own_rankers(control, ["one", "one two", "one two three"], has_control=True) as own:
            store.promote("org/llm", 2)
            assert own.champion == "models:/pars-org-llm/1"
            assert list(own.folders) == list(FOLDERS)
            scores = [Ranker.load(folder, name).scorer.score("one two") for name, folder in own.folders.items()]
            assert scores == [2.0, -2.0, 2.0]
        assert not any(folder.exists() for folder in own.folders.values())
        assert [one.name for one in mlflow.MlflowClient().search_registered_models()] == ["pars-org-llm"]
