"""From a log to its report."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import mlflow
import pandas as pd
import pytest

from benchmarks.failures import SimulationError
from benchmarks.policies.places import places
from benchmarks.simulation.engine.run import Run
from benchmarks.what_if.config import WhatIfConfig
from benchmarks.what_if.placed_runs import Simulate
from benchmarks.what_if.what_if import run_what_if
from registry.errors import InvalidInput
from tests.benchmarks.what_if.conftest import COST, SERVERS, simulate
from tests.conftest import tracking
from tests.rankers import write_ranker
from tests.servers import PROJECT


def report(config: WhatIfConfig, tmp_path: Path, simulate: Simulate = simulate) -> tuple[str, Path]:
    """What is said, and the folder of the artefacts."""
    with tracking(f"sqlite:///{tmp_path / 'mlflow.db'}"):
        mlflow.set_experiment(experiment_id=mlflow.create_experiment("what-if", (tmp_path / "artifacts").as_uri()))
        with mlflow.start_run() as run:
            said = run_what_if(config, COST, simulate)
        return said, Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, dst_path=str(tmp_path / "got")))


def test_log_becomes_a_page_with_advice_and_its_data(busy_log: Path, tmp_path: Path) -> None:
    said, folder = report(WhatIfConfig(log=busy_log, max_num_seqs=SERVERS, sweep_requests=200), tmp_path)
    page = (folder / "report.html").read_text()
    for words in ("Simulated, nothing was run", "A better ranker", "More sequences"):
        assert words in page
    for words in ("scheduler ran step by step under a virtual clock", "20 ms", "a queue before eight servers"):
        assert words in page, "what was taken for the engine"
    assert said.splitlines()[0] in page.replace("&#39;", "'")
    assert "no ranker here but the true lengths with noise" in page
    assert "the log as it is" in page
    assert "control (shuffled labels)" in page
    assert "has a patience of 120 s unless another one was tried, the oracle too" in page
    assert "At the lowest load (one request at a time) the median time to the first token" in page
    assert set(pd.read_parquet(folder / "settings.parquet").study) == {"tau", "patience_s", "max_num_seqs"}
    assert "The busiest stretch, found over all arrivals: the 200 requests that pile up most work, from day 1" in page
    assert (folder / "answers.parquet").is_file()


def test_ranker_is_measured_on_the_prompts_of_the_log(busy_log: Path, tmp_path: Path) -> None:
    ranker = write_ranker(tmp_path / "ranker")
    config = WhatIfConfig(log=busy_log, ranker=str(ranker), max_num_seqs=SERVERS, sweep_requests=200, max_requests=300)
    _, folder = report(config, tmp_path)
    page = (folder / "report.html").read_text()
    assert "tau-b 0.9" in page
    assert "windows of some 100 requests, drawn from its quietest to its busiest stretches" in page


def test_control_that_gains_ends_the_what_if_with_its_figures(busy_log: Path, tmp_path: Path) -> None:
    def leaking(runs: Sequence[Run]) -> list[pd.DataFrame]:
        return simulate([knowing(run) if run.policy == "control" else run for run in runs])

    def knowing(run: Run) -> Run:
        return replace(run, order=replace(run.order, quantiles=places(run.traffic.output_tokens)))

    config = WhatIfConfig(log=busy_log, max_num_seqs=SERVERS, sweep_requests=200)
    with pytest.raises(SimulationError, match=r"(?s)Report: .*the truth leaks into the order"):
        report(config, tmp_path, leaking)


def test_log_that_cannot_be_read_ends_in_one_sentence(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"arrival_s": 1, "prompt_tokens": 3, "output_tokens": -5}\n' * 3)
    command = [sys.executable, "-m", "benchmarks", "what-if", "--log", str(log)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    environment["MLFLOW_TRACKING_URI"] = f"sqlite:///{tmp_path / 'mlflow.db'}"
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "row 1 (the first is 1) has '-5' in column 'output_tokens'" in done.stderr
    assert "Traceback" not in done.stderr


def test_ranker_without_prompts_is_refused(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"arrival_s": 1, "prompt_tokens": 3, "output_tokens": 5}\n' * 3)
    with pytest.raises(InvalidInput, match="leave ranker out"):
        report(WhatIfConfig(log=log, ranker="somewhere"), tmp_path)


def test_half_an_emoji_and_milliseconds_since_1970_are_simulated_and_said(busy_log: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in busy_log.read_text().splitlines()]
    halves = [
        row | {"prompt": f"{row['prompt']} \ud83d", "arrival_s": int(1000 * (1_700_000_000 + row["arrival_s"]))}
        for row in rows
    ]
    log = tmp_path / "halves.jsonl"
    log.write_text("\n".join(json.dumps(row) for row in halves))
    ranker = write_ranker(tmp_path / "ranker")
    config = WhatIfConfig(log=log, ranker=str(ranker), max_num_seqs=SERVERS, sweep_requests=200, max_requests=300)
    _, folder = report(config, tmp_path)
    assert "Arrivals are milliseconds since 1970." in (folder / "report.html").read_text()
