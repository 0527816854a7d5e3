"""The replay from end to end: a real registry, the real server, the real engine."""

import json
import os
import subprocess
import sys
from pathlib import Path

import mlflow
import pandas as pd
import pytest

from benchmarks.demo_llm import write_demo_llm
from registry import store
from tests.rankers import write_ranker

PROJECT = Path(__file__).parents[2]
VLLM_ARGS = "--dtype float32 --enforce-eager --max-model-len 512 --max-num-seqs 4"


@pytest.fixture
def lengths(tmp_path: Path) -> Path:
    """A log in which the longer prompt has the longer answer, as the tests' ranker believes.

    The answers are long enough for a queue: in a burst that is over in a second there is nothing to order.
    """
    rows = [{"prompt": "tell me more " * (1 + i % 20) + str(i), "output_tokens": 2 + 16 * (i % 20)} for i in range(800)]
    path = tmp_path / "lengths.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


@pytest.fixture
def tracking_uri(tmp_path: Path) -> str:
    """A registry in which that ranker is the champion."""
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment(experiment_id=mlflow.create_experiment("replay", (tmp_path / "artifacts").as_uri()))
    with mlflow.start_run():
        store.register(write_ranker(tmp_path / "ranker", "replayed"))
    store.promote("replayed")
    return uri


@pytest.mark.slow
def test_replay_compares_the_policies_on_the_real_engine(lengths: Path, tracking_uri: str, tmp_path: Path) -> None:
    llm = write_demo_llm(tmp_path / "llm")
    command = [sys.executable, "-m", "benchmarks", "replay", "--lengths", str(lengths), "--target-llm", "replayed"]
    command += ["--llm", str(llm), "--vllm-args", VLLM_ARGS, "--policies", "fcfs,pars,oracle"]
    command += ["--requests", "60", "--repeats", "2", "--low-load-requests", "5"]
    environment = os.environ | {"MLFLOW_TRACKING_URI": tracking_uri, "MLFLOW_EXPERIMENT_NAME": "replay"}
    environment |= {"VLLM_CPU_KVCACHE_SPACE": "1"}
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Plot: " in done.stdout

    run = mlflow.search_runs(experiment_names=["replay"], filter_string="params.requests = '60'").iloc[0]
    assert run["metrics.pars.s_per_token"] < run["metrics.fcfs.s_per_token"]
    assert run["metrics.oracle.s_per_token"] < run["metrics.fcfs.s_per_token"]
    assert run["metrics.fail_open_share"] <= 0.05
    files = {item.path for item in mlflow.MlflowClient().list_artifacts(run["run_id"])}
    assert {"answers.parquet", "latency.png", "report.txt", "table.json"} <= files
    answers = pd.read_parquet(
        mlflow.artifacts.download_artifacts(run_id=run["run_id"], artifact_path="answers.parquet")
    )
    assert answers.groupby(["policy", "repeat"]).size().tolist() == [60] * 6


def test_replay_with_no_champion_says_how_to_get_one(lengths: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "replay", "--lengths", str(lengths), "--target-llm", "nobody"]
    # Other tests leave their experiment in the environment.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    environment["MLFLOW_TRACKING_URI"] = f"sqlite:///{tmp_path / 'mlflow.db'}"
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pars-nobody has no champion" in done.stderr
    assert "Traceback" not in done.stderr
