"""The commands of training, and `mlflow run` around them."""

import os
import subprocess
import sys
from pathlib import Path

import mlflow
import pytest

from registry import store
from tests.conftest import Command, tracking
from tests.servers import PROJECT
from tests.training.tiny import TARGET_LLM, TinyTraining


@pytest.mark.parametrize(
    ("name", "told"),
    [("train", "--group-column"), ("evaluate", "models:/pars-NAME@champion"), ("workload", "stated law")],
)
def test_help_teaches(command: Command, capsys: pytest.CaptureFixture[str], name: str, told: str) -> None:
    assert command(name, "--help") == 0
    assert told in capsys.readouterr().out


def test_the_workload_is_written(command: Command, tmp_path: Path) -> None:
    assert command("workload", "--out", str(tmp_path / "log.jsonl"), "--prompts", "7") == 0
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 7


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--length-column", "tokens"), "must have the column 'tokens'"),
        (("--trials", "-1"), "trials must be at least 0"),
        (("--model", "gpt"), "column 'model'"),
        (("--encoder", "no/such/encoder/anywhere"), "cannot be loaded"),
    ],
)
@pytest.mark.usefixtures("tiny_store")
def test_a_mistake_ends_in_one_sentence(
    command: Command,
    capsys: pytest.CaptureFixture[str],
    workload_log: Path,
    options: tuple[str, str],
    told: str,
) -> None:
    assert command("train", "--lengths", str(workload_log), "--target-llm", "llm", "--trials", "0", *options) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("Error: ")
    assert told in error


def test_an_unknown_ranker_ends_in_one_sentence(
    command: Command, capsys: pytest.CaptureFixture[str], tiny_store: TinyTraining
) -> None:
    rankers = "models:/pars-nobody@champion"
    assert command("evaluate", "--rankers", rankers, "--lengths", str(tiny_store.config.lengths)) == 1
    assert "Error: models:/pars-nobody@champion cannot be had" in capsys.readouterr().err


def test_evaluate_prints_tau_with_its_interval_and_says_on_which_rows(
    command: Command, capsys: pytest.CaptureFixture[str], tiny_store: TinyTraining
) -> None:
    uri = f"models:/{store.model_name(TARGET_LLM)}/{tiny_store.version}"
    assert command("evaluate", "--rankers", f"{uri},", "--lengths", str(tiny_store.config.lengths)) == 0
    told = capsys.readouterr().out
    assert uri in told
    assert "95 % interval" in told
    assert "test split" in told


@pytest.mark.slow
def test_mlflow_run_trains_and_registers(tmp_path: Path, workload_log: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    with tracking(uri):
        experiment = mlflow.create_experiment("projects", (tmp_path / "artifacts").as_uri())
    config = tmp_path / "train.yaml"
    config.write_text(f"lengths: {workload_log}\ntarget_llm: demo llm\nmax_prompts: 64\ntrials: 0\n")
    # Other tests leave their experiment in the environment.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    path = f"{Path(sys.executable).parent}:{environment['PATH']}"
    subprocess.run(
        [
            *("mlflow", "run", ".", "--env-manager", "local", "--experiment-name", "projects"),
            *("-P", f"config={config}", "-P", "max_prompts=32", "-P", "model="),
        ],
        cwd=PROJECT,
        env={**environment, "MLFLOW_TRACKING_URI": uri, "MLFLOW_DISABLE_TELEMETRY": "true", "PATH": path},
        check=True,
    )
    with tracking(uri):
        (run,) = mlflow.search_runs([experiment], output_format="list")
        assert (run.info.status, run.data.params["used_train_prompts"]) == ("FINISHED", "32")
        assert store.promote("demo llm") == 1
