"""`registry/runs/experiments.py`: an experiment for each target LLM, unless the user has named one."""

import json
import shutil
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from zlib import decompress

import mlflow
import pytest

from registry.runs import experiments
from registry.runs.experiments import (
    KIND_TAG,
    NOTE_TAG,
    VIEW_KEY,
    VIEW_TAG,
    experiment_id,
    experiment_name,
    use_experiment,
)
from tests.conftest import Command, tracking
from tests.rankers import write_ranker

NAMES = [
    ({"target_llm": "meta/Demo 7B"}, "pars-meta-demo-7b"),
    ({"target_llm": "a", "rankers": ("models:/pars-b@champion",)}, "pars-a"),
    ({"rankers": ("models:/pars-b@champion", "models:/pars-b/2")}, "pars-b"),
    ({"rankers": "models:/pars-b@champion, models:/pars-b@challenger"}, "pars-b"),
    ({"rankers": ("models:/pars-b@champion", "models:/pars-c@champion")}, "pars"),
    ({"rankers": ("models:/pars-b@champion", "unregistered/pars-b")}, "pars"),
    ({"ranker": "models:/pars-b/1"}, "pars-b"),
    ({"ranker": Path("unregistered/pars-b")}, "pars"),
    ({"target_llm": "", "models": ("a", "b")}, "pars"),
    ({"ranker": None, "rankers": None, "target_llm": None}, "pars"),
    ({}, "pars"),
]


@pytest.fixture
def database(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A database of one's own, and a user who has named no experiment."""
    for name in experiments.CHOSEN:
        monkeypatch.delenv(name, raising=False)
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    with tracking(f"sqlite:///{tmp_path / 'mlflow.db'}"):
        yield tmp_path


@pytest.mark.parametrize(("settings", "name"), NAMES)
def test_settings_tell_the_experiment(settings: dict[str, object], name: str) -> None:
    assert experiment_name(settings) == name


@pytest.mark.usefixtures("database")
def test_the_experiment_of_a_target_llm_opens_on_runs_and_says_what_it_is() -> None:
    made = mlflow.get_experiment(experiment_id({"target_llm": "meta/Demo 7B"}))
    assert made.name == "pars-meta-demo-7b"
    assert made.tags[KIND_TAG] == "custom_model_development"
    assert made.tags["target_llm"] == "meta/Demo 7B"
    assert "`meta/Demo 7B`" in made.tags[NOTE_TAG]
    assert "(#/models/pars-meta-demo-7b)" in made.tags[NOTE_TAG]
    assert f"(#/experiments/{made.experiment_id}/runs?viewStateShareKey={VIEW_KEY}&" in made.tags[NOTE_TAG]
    view = json.loads(decompress(b64decode(made.tags[VIEW_TAG].removeprefix("deflate;"))))
    assert view["orderByKey"] == view["selectedColumns"][0] == "metrics.`kendall_tau_b`"
    assert experiment_id({"target_llm": "meta/Demo 7B"}) == made.experiment_id, "made once"


@pytest.mark.usefixtures("database")
def test_what_a_user_wrote_about_an_experiment_stays() -> None:
    theirs = mlflow.create_experiment("pars-a", tags={NOTE_TAG: "ours since May"})
    assert experiment_id({"target_llm": "a"}) == theirs
    assert mlflow.get_experiment(theirs).tags == {NOTE_TAG: "ours since May"}


@pytest.mark.usefixtures("database")
def test_another_process_may_make_it_first(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = mlflow.create_experiment("pars-a")
    look = mlflow.MlflowClient.get_experiment_by_name
    looks = iter([None])
    monkeypatch.setattr(mlflow.MlflowClient, "get_experiment_by_name", lambda self, name: next(looks, look(self, name)))
    assert experiment_id({"target_llm": "a"}) == theirs


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("variable", experiments.CHOSEN)
def test_an_experiment_that_the_user_named_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "theirs")
    use_experiment({"target_llm": "a"})
    assert mlflow.get_experiment_by_name("pars-a") is None


def test_artefacts_lie_beside_those_of_default_wherever_the_command_runs(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (database / "elsewhere").mkdir()
    monkeypatch.chdir(database / "elsewhere")
    default = mlflow.get_experiment("0").artifact_location
    made = mlflow.get_experiment(experiment_id({"target_llm": "a"})).artifact_location
    assert made == f"{default.removesuffix('/0')}/pars-a"


def test_a_command_lays_its_run_into_the_experiment_and_one_that_makes_none_makes_none(
    database: Path, command: Command
) -> None:
    ranker = write_ranker(database / "ranker", "a")
    assert command("register", "--ranker", str(ranker)) == 0
    assert command("ordering", "--target-llm", "a", "--state", "off") == 0
    assert {one.name for one in mlflow.search_experiments()} == {"Default", "pars-a"}
    runs = mlflow.search_runs(experiment_names=["pars-a"], output_format="list")
    assert [run.info.run_name for run in runs] == ["register a"]
