"""Sends one workload by both clients in turn, and says how far their times are apart."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd

from benchmarks.arrivals import ArrivalProcess
from benchmarks.cross_check.bench_serve import BenchServe
from benchmarks.cross_check.config import CrossCheckConfig
from benchmarks.endpoint.client import replay
from benchmarks.endpoint.endpoint import Endpoint, choose_that_fit
from benchmarks.endpoint.plan import PlannedRequest, plan_requests
from benchmarks.endpoint.priorities import fcfs
from benchmarks.replay.policy_endpoints import endpoints
from registry.tracking import log_parameters
from terminal.progress import track
from traffic.labelled_prompts import LabelledPrompts
from traffic.length_log import read_length_log
from traffic.recorded import Recorded

OURS, VLLMS = "replay", "vllm bench serve"
TIMES = ("e2e_s", "ttft_s", "s_per_token")


def run_cross_check(config: CrossCheckConfig, server_log: Path) -> str:
    """Measure, log the answers and the ratios to the active MLflow run, and return them as text.

    Raises:
        NoRanker, ReplayError: the server did not start, or a request failed.
        InvalidInput: the settings or the log cannot be used.
    """
    test = read_length_log(config).part("test", seed=config.seed)
    log_parameters(config)
    with endpoints(config.replayed, ("fcfs",), server_log) as served:
        planned = _plan(config, served.any, test)
        answers = pd.concat(measure(config, served.any, planned), ignore_index=True)
    return _log(config, answers)


def measure(config: CrossCheckConfig, endpoint: Endpoint, planned: Sequence[PlannedRequest]) -> Iterator[pd.DataFrame]:
    """The answers of each run, with its `client` and `pair`.

    Ours sends each request when vLLM's client did in the run before. Its first run, which finds the server cold, tells
    just that and is not counted. So both send at the same times, and what the machine does meanwhile is in both.
    """
    bench = BenchServe(config, endpoint)
    sent_s = bench.run(planned).sent_s.to_numpy()
    for pair in track(range(config.pairs), "cross-check", "pairs"):
        for client in (OURS, VLLMS) if pair % 2 else (VLLMS, OURS):
            answers = bench.run(planned) if client == VLLMS else _replayed(endpoint, planned, sent_s)
            sent_s = answers.sent_s.to_numpy() if client == VLLMS else sent_s
            yield answers.assign(client=client, pair=pair)


def _replayed(endpoint: Endpoint, planned: Sequence[PlannedRequest], sent_s: np.ndarray) -> pd.DataFrame:
    timed = [replace(one, send_s=float(at)) for one, at in zip(planned, sent_s, strict=True)]
    return pd.DataFrame(asyncio.run(replay(endpoint, timed, fcfs)))


def _plan(config: CrossCheckConfig, endpoint: Endpoint, test: LabelledPrompts) -> list[PlannedRequest]:
    is_chat = config.api == "chat"
    chats = {view: Recorded([{"role": "user", "content": view.text}]) for view in test.views if is_chat}
    chosen = choose_that_fit(endpoint, test, config.requests, chats)
    lengths = chosen.output_tokens.astype(int).tolist()
    planned = plan_requests(list(chosen.prompts), lengths, ArrivalProcess(), config.seed, is_reversed=False)
    return [replace(one, chat=chats[chosen.views[one.number]].chat if is_chat else None) for one in planned]


def compare(answers: pd.DataFrame) -> pd.DataFrame:
    """Mean seconds of each client, ours ÷ vLLM's over all pairs, and the least and most of one pair; a row a time."""
    rows = answers.assign(s_per_token=answers.e2e_s / answers.output_tokens)
    means = rows.groupby("client")[list(TIMES)].mean().T
    of_pairs = rows.groupby(["client", "pair"])[list(TIMES)].mean()
    ratios = of_pairs.loc[OURS] / of_pairs.loc[VLLMS]
    return means.assign(ratio=means[OURS] / means[VLLMS], ratio_min=ratios.min(), ratio_max=ratios.max())


def _log(config: CrossCheckConfig, answers: pd.DataFrame) -> str:
    table = compare(answers)
    arrivals = f"Poisson at {config.rate_per_s:g} a second" if config.rate_per_s else "all at once"
    text = (
        f"{table.to_string(float_format='{:.4g}'.format)}\n{config.requests} {config.api}, {arrivals}, first come,"
        f" first served, {config.pairs} runs of each client in turn on one server. ratio: {OURS} ÷ {VLLMS}."
    )
    mlflow.log_metrics({f"{name}_ratio": float(ratio) for name, ratio in table.ratio.items()})
    mlflow.log_table(answers, "answers.json")
    mlflow.log_text(text, "report.txt")
    return text
