"""`registry/runs/pages.py`: what MLflow's pages say of a registered ranker."""

from pathlib import Path

import mlflow
import pytest

from registry import store
from registry.artefact.card import RankerCard
from registry.runs.pages import APART, model_page, ranker_page, table
from registry.tracking import NOTE_TAG, describe_run
from tests.conftest import Command
from tests.rankers import write_ranker

METRICS = {
    "test_prompts": 1200.0,
    "static_gain_s_per_token": 0.9,
    "kendall_tau_b": 0.6512,
    "kendall_tau_b_low": 0.62,
    "kendall_tau_b_high": 0.68,
    "instant_kendall_tau_b": 0.59,
    "distance_correlation": 0.1,
}


def card_of(folder: Path, **changes: object) -> RankerCard:
    return RankerCard.read(write_ranker(folder, "org/LLM's", **{"metrics": METRICS, **changes}))


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.replace(APART, "").strip("|").split("|")]


def test_the_first_figure_of_a_rankers_page_is_tau_with_its_interval(tmp_path: Path) -> None:
    headline, _, head, _, first, *rest = ranker_page(card_of(tmp_path)).splitlines()
    assert headline == "tau-b 0.651 on 1,200 test prompts."
    assert cells(head) == ["", "encoder", "instant tier"]
    assert cells(first) == ["Kendall tau-b", "**0.651** (0.620 to 0.680)", "**0.590**"]
    assert cells(rest[0]) == ["static gain, s/token", "**0.900**", ""]


def test_columns_stand_apart_where_a_page_gives_cells_no_room() -> None:
    head, line, row = table(("a", "b"), [("1", "2")]).splitlines()
    assert line == "| --- | --- |"
    assert head.count(APART) == row.count(APART) == 2


def test_a_ranker_without_figures_has_a_page_without_a_table(tmp_path: Path) -> None:
    assert "|" not in ranker_page(card_of(tmp_path, metrics={}))


def test_a_models_page_says_how_to_promote_in_words_that_a_shell_takes() -> None:
    page = model_page("pars-org-llm-s", "org/LLM's")
    assert """-e promote -P target_llm='org/LLM'"'"'s'""" in page
    assert "`champion`" in page


@pytest.mark.usefixtures("registry")
def test_registered_rankers_are_described_and_listed_by_few_figures(tmp_path: Path) -> None:
    folder, client = write_ranker(tmp_path / "ranker", "org/LLM", metrics=METRICS), mlflow.MlflowClient()
    with mlflow.start_run() as run:
        version = client.get_model_version("pars-org-llm", str(store.register(folder)))
    assert (
        version.description
        == ranker_page(RankerCard.read(folder))
        == mlflow.get_run(run.info.run_id).data.tags[NOTE_TAG]
    )
    assert (version.tags["kendall_tau_b"], version.tags["test_prompts"]) == ("0.6512", "1200")
    assert "distance_correlation" not in version.tags
    assert mlflow.get_run(run.info.run_id).data.metrics["distance_correlation"] == 0.1, "it is the run's"
    assert client.get_registered_model("pars-org-llm").description == model_page("pars-org-llm", "org/LLM")


@pytest.mark.usefixtures("registry")
def test_what_a_person_wrote_about_a_model_stays(tmp_path: Path) -> None:
    client = mlflow.MlflowClient()
    client.create_registered_model("pars-org-llm", description="Ask Ann before you promote.")
    with mlflow.start_run():
        store.register(write_ranker(tmp_path / "ranker", "org/LLM"))
    assert client.get_registered_model("pars-org-llm").description == "Ask Ann before you promote."


@pytest.mark.usefixtures("registry")
def test_a_run_says_what_its_command_printed_unless_it_has_said_more() -> None:
    with mlflow.start_run() as run, mlflow.start_run(nested=True):
        pass
    describe_run("two orders\nat postgresql://me:5ecret@host/db")
    assert mlflow.get_run(run.info.run_id).data.tags[NOTE_TAG] == "```\ntwo orders\nat postgresql://***@host/db\n```"
    describe_run("something else")
    assert "two orders" in mlflow.get_run(run.info.run_id).data.tags[NOTE_TAG]


@pytest.mark.usefixtures("registry")
def test_a_command_describes_its_run(tmp_path: Path, command: Command) -> None:
    assert command("register", "--ranker", str(write_ranker(tmp_path / "ranker", "org/LLM", metrics=METRICS))) == 0
    run = mlflow.last_active_run()
    assert run is not None and run.data.tags[NOTE_TAG].startswith("tau-b 0.651 on 1,200 test prompts.")
