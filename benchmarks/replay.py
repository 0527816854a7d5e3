"""Replays recorded traffic against the served endpoint under several policies and logs the comparison to MLflow."""

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import mlflow
import pandas as pd

from benchmarks import endpoint, low_load, policies, report, results
from benchmarks.client import ReplayError, replay
from benchmarks.config import ReplayConfig
from benchmarks.control import control_ranker
from benchmarks.plan import PlannedRequest, plan_requests
from benchmarks.policies import Policy, Prioritise
from benchmarks.server import serve
from registry.ranker import Ranker
from serving.config import DEMO_VLLM_ARGS
from serving.reload import find_champion
from training.length_log import LabelledPrompts, read_length_log
from training.parameters import log_parameters

STREAM_INTERVAL = "--stream-interval 1000"
"""Answers are streamed as their first token and then the rest: all that is measured. An event for each token would
make the client and the API server the bottleneck where they share their cores with the engine."""


@dataclass(frozen=True)
class Served:
    """The endpoint under replay and what is sent to it."""

    url: str
    model: str
    prompts: LabelledPrompts


def run_replay(config: ReplayConfig, server_log: Path) -> str:
    """Replay, log everything to the active MLflow run, and return the report as text.

    Raises:
        NoChampion: the target LLM has no ranker to replay.
        ReplayError: the server or a request failed, or the control gained something.
    """
    chosen_policies = policies.parse_policies(config.policies)
    if "pars" in chosen_policies:
        find_champion(config.target_llm)
    test = read_length_log(config).part("test", seed=config.seed)
    log_parameters(config)
    with ExitStack() as stack:
        control = stack.enter_context(control_ranker(config)) if "control" in chosen_policies else None
        url = stack.enter_context(serve(_settings(config), server_log))
        model = endpoint.served_model(url)
        served = Served(url, model, endpoint.choose_that_fit(url, model, test, config.requests))
        _warm_up(config, served)
        before = endpoint.ranking_work(url)
        answers = _replay_all(config, served, chosen_policies, control)
        work = endpoint.ranking_work(url) - before
        one_by_one = _plan(config, served, 0)[: config.low_load_requests]
        quiet = low_load.measure(url, model, one_by_one) if one_by_one else None
    table = results.summarise(answers)
    text = report.log(report.Replayed(answers, table, work, quiet))
    if (reason := results.leak(table)) is not None:
        raise ReplayError(f"{text}\n{reason}")
    return text


def _settings(config: ReplayConfig) -> dict[str, str]:
    """The server trusts the client's priorities and, so that imposed lengths do not leak, ignores `max_tokens`."""
    vllm_args = config.vllm_args or (DEMO_VLLM_ARGS if config.llm is None else "")
    settings = {
        "PARS_TARGET_LLM": config.target_llm,
        "PARS_LLM": config.llm,
        "PARS_VLLM_ARGS": f"{vllm_args} {STREAM_INTERVAL}",
        "PARS_PATIENCE_S": str(config.patience_s),
        "PARS_RANKING_BACKLOG_MS": str(config.ranking_backlog_ms),
        "PARS_TRUST_CLIENT_PRIORITY": "on",
        "PARS_CAP_BY_MAX_TOKENS": "off",
        "MLFLOW_TRACKING_URI": mlflow.get_tracking_uri(),
    }
    return {name: value for name, value in settings.items() if value}


def _warm_up(config: ReplayConfig, served: Served) -> None:
    """Send everything once, ranked, and count nothing: a server's first burst finds it cold."""
    asyncio.run(replay(served.url, served.model, _plan(config, served, 0), policies.pars, "warm-up"))


def _replay_all(
    config: ReplayConfig, served: Served, chosen: tuple[Policy, ...], control: Ranker | None
) -> pd.DataFrame:
    """One row an answer. Each repeat runs every policy, each time beginning with another one."""
    frames = []
    for repeat in range(config.repeats):
        requests = _plan(config, served, repeat)
        for policy in chosen[repeat % len(chosen) :] + chosen[: repeat % len(chosen)]:
            prioritise = _prioritise(policy, config, requests, control, repeat)
            title = f"{policy}, replay {repeat + 1} of {config.repeats}"
            answers = asyncio.run(replay(served.url, served.model, requests, prioritise, title))
            frames.append(pd.DataFrame(answers).assign(policy=policy, repeat=repeat))
    rows = pd.concat(frames, ignore_index=True)
    return rows.sort_values("policy", key=lambda names: names.map(chosen.index), kind="stable", ignore_index=True)


def _plan(config: ReplayConfig, served: Served, repeat: int) -> list[PlannedRequest]:
    return plan_requests(
        list(served.prompts.prompts),
        served.prompts.output_tokens.astype(int).tolist(),
        config.arrival_process,
        seed=config.seed + repeat // 2,
        is_reversed=_is_reversed(repeat),
    )


def _prioritise(
    policy: Policy, config: ReplayConfig, requests: list[PlannedRequest], control: Ranker | None, repeat: int
) -> Prioritise:
    if policy == "oracle":
        return policies.oracle(requests)
    if policy == "control":
        assert control is not None
        quantiles = policies.control_quantiles(control, requests, _is_reversed(repeat))
        return policies.control(quantiles, config.patience_s)
    return policies.fcfs if policy == "fcfs" else policies.pars


def _is_reversed(repeat: int) -> bool:
    return repeat % 2 == 1
