"""`cli/mlflow_plugin.py`: `mlflow run` begins its run in the experiment of the target LLM that it is told."""

import shutil
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from pkgutil import resolve_name

import click
import mlflow
import pytest

from cli.mlflow_plugin import ProjectExperiment, settings_in
from registry.runs import experiments
from tests.conftest import tracking
from tests.servers import PROJECT


def told(command: str, **params: object) -> str | None:
    """The name of the experiment that a command of MLflow is told; None if it is told none."""
    with click.Context(click.Command(command), info_name=command) as context:
        context.params = {"uri": str(PROJECT), "param_list": (), **params}
        provider = ProjectExperiment()
        return mlflow.get_experiment(provider.get_experiment_id()).name if provider.in_context() else None


@pytest.fixture(autouse=True)
def _database(tmp_path: Path, empty_database: Path) -> Iterator[None]:
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    with tracking(f"sqlite:///{tmp_path / 'mlflow.db'}"):
        yield


def test_mlflow_knows_the_extension() -> None:
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["entry-points"]
    (value,) = declared["mlflow.default_experiment_provider"].values()
    assert resolve_name(value) is ProjectExperiment


def test_a_run_of_the_project_is_told_by_its_parameters() -> None:
    assert told("run", param_list=("lengths=a=b.jsonl", "target_llm=meta/Demo")) == "pars-meta-demo"
    assert told("run", param_list=("rankers=models:/pars-b/1,models:/pars-b@champion",)) == "pars-b"
    assert told("run") == experiments.OF_ALL


def test_other_projects_commands_and_processes_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "MLproject").write_text("name: sparse\n")
    assert told("run", uri=str(tmp_path), param_list=("target_llm=a",)) is None
    assert told("run", uri="https://example.com/project.git") is None
    assert told("server", uri=None) is None
    assert not ProjectExperiment().in_context()


FILES: list[tuple[str, Mapping[str, object]]] = [
    ("target_llm: b\ntrials: 3\n", {"target_llm": "b", "trials": 3}),
    ("- no\n- mapping\n", {}),
]


@pytest.mark.parametrize(("text", "settings"), FILES)
def test_settings_stand_in_a_file_too(tmp_path: Path, text: str, settings: Mapping[str, object]) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(text)
    assert settings_in([f"config={file}"]) == {**settings, "config": str(file)}
    assert settings_in([f"config={file}", "target_llm=a"])["target_llm"] == "a"
