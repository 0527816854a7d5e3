"""Requests that the demo's server has traced, in MLflow's experiment `traffic`."""

import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import mlflow
from mlflow.entities import Trace

from benchmarks.demo.demo import FOLDER as DEMO
from benchmarks.demo.demo import TARGET_LLM
from benchmarks.endpoint.live_server import serve
from pictures.browser import Shot
from pictures.mlflow_pages import shot
from pictures.stage import NothingToShow, Stage
from serving.config import DEMO_VLLM_ARGS

EXPERIMENT = "traffic"
REQUESTS, AT_ONCE = 24, 4
"""What is asked, and how many answers the engine works on: the others wait, and their spans show it."""
HANDED_IN_S = 60.0
"""Within which the last span has come."""


def pages(stage: Stage) -> Iterator[Shot]:
    """The longest trace of a request and its ranking; where there are none, requests are served and traced now.

    Raises:
        NothingToShow: the demo has left no prompts, or no trace arrives.
    """
    experiment = mlflow.set_experiment(EXPERIMENT).experiment_id
    if not _traces(experiment):
        _serve(stage, experiment, DEMO / "lengths.jsonl")
    longest = max(_traces(experiment), key=lambda trace: trace.info.execution_duration or 0)
    url = f"{stage.url}/#/experiments/{experiment}/traces?selectedEvaluationId={longest.info.trace_id}"
    yield shot("trace", url, "pars.rank", clicks=("pars.rank",))


def _traces(experiment: str) -> list[Trace]:
    """Those of requests; vLLM sends one of its start, too."""
    found = mlflow.MlflowClient().search_traces(locations=[experiment], max_results=2 * REQUESTS)
    return [trace for trace in found if any(span.name == "pars.request" for span in trace.data.spans)]


def _serve(stage: Stage, experiment: str, log: Path) -> None:
    if not log.exists():
        raise NothingToShow(f"the demo's log must be in {log}, but it is not; run make demo first.")
    settings = {
        "PARS_TARGET_LLM": TARGET_LLM,
        "PARS_VLLM_ARGS": f"{DEMO_VLLM_ARGS} --max-num-seqs {AT_ONCE} --otlp-traces-endpoint {stage.url}/v1/traces",
        "MLFLOW_TRACKING_URI": stage.store,
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS": f"x-mlflow-experiment-id={experiment}",
    }
    with log.open(encoding="utf-8") as lines, serve(settings, DEMO / "traced.log") as address:
        rows = [json.loads(line) for line in islice(lines, REQUESTS)]
        with ThreadPoolExecutor(REQUESTS) as users:
            list(users.map(lambda row: _ask(address, row), rows))
        _wait_for(experiment)


def _ask(address: str, row: Mapping[str, Any]) -> None:
    body = {"model": TARGET_LLM, "messages": row["messages"], "max_tokens": 512}
    httpx.post(f"{address}/v1/chat/completions", json=body, timeout=600).raise_for_status()


def _wait_for(experiment: str) -> None:
    deadline = time.monotonic() + HANDED_IN_S
    while len(_traces(experiment)) < REQUESTS:
        if time.monotonic() > deadline:
            raise NothingToShow(f"{REQUESTS} requests must be traced, but MLflow has {len(_traces(experiment))}.")
        time.sleep(1)
