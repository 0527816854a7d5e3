"""Where each policy is served: on a server of our own, or on endpoints that run already."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import mlflow

from benchmarks.endpoint import endpoint
from benchmarks.endpoint.endpoint import Endpoint
from benchmarks.endpoint.live_server import serve
from benchmarks.replay.config import ReplayConfig
from benchmarks.replay.replay_policies import SERVERS_OWN
from registry.errors import InvalidInput
from serving.config import DEMO_VLLM_ARGS

STREAM_INTERVAL = "--stream-interval 1000"
"""Answers are streamed as their first token and then the rest: all that is measured. An event for each token would
make the client and the API server the bottleneck where they share their cores with the engine."""

NEED_NO_PRIORITY = ("fcfs", *SERVERS_OWN)
"""What an endpoint may keep for an order by itself; every other one only a client can bring."""


@dataclass(frozen=True)
class PolicyEndpoints:
    """The endpoint of each policy."""

    of: Mapping[str, Endpoint]
    """By the policy's name."""
    is_ours: bool
    """Whether the server was started for this replay, with settings that are known."""
    sends_priority: bool
    """Whether the client orders the queue; if not, every endpoint keeps its own order."""

    @property
    def any(self) -> Endpoint:
        """One that stands for all: they serve the same model."""
        return next(iter(self.of.values()))


@contextmanager
def endpoints(config: ReplayConfig, names: Sequence[str], server_log: Path) -> Iterator[PolicyEndpoints]:
    """Yield where the policies are served; a server that was started is stopped.

    Raises:
        ReplayError: the server did not start.
        InvalidInput: the endpoints cannot serve these policies.
    """
    if config.url:
        urls = parse_urls(config.url, names, config.trust_priority == "on")
        key = os.environ.get("OPENAI_API_KEY")
        of = {name: endpoint.connect(url, key) for name, url in urls.items()}
        yield PolicyEndpoints(of, is_ours=False, sends_priority=config.trust_priority == "on")
        return
    with serve(_settings(config), server_log) as url:
        one = endpoint.connect(url)
        yield PolicyEndpoints(dict.fromkeys(names, one), is_ours=True, sends_priority=True)


def parse_urls(text: str, names: Sequence[str], trusts_priority: bool) -> dict[str, str]:
    """The address of each policy.

    Raises:
        InvalidInput: a policy has no address, or needs the client's priority on an endpoint that does not trust it.
    """
    is_shared = "=" not in text
    if not trusts_priority:
        _check_own_order(names, is_shared)
    if is_shared:
        return dict.fromkeys(names, _root(text))
    pairs = dict(part.strip().split("=", 1) for part in text.split(",") if "=" in part)
    if set(pairs) != set(names):
        raise InvalidInput(
            f"every policy must have its address, but {', '.join(names)} are asked for and url names"
            f" {', '.join(pairs)}; give url=POLICY=ADDRESS,... and policies=... alike."
        )
    return {name: _root(pairs[name]) for name in names}


def _check_own_order(names: Sequence[str], is_shared: bool) -> None:
    allowed = ("endpoint",) if is_shared else NEED_NO_PRIORITY
    if refused := [name for name in names if name not in allowed]:
        raise InvalidInput(
            f"an endpoint that trusts no client's priority keeps its own order, but got the policies"
            f" {', '.join(refused)}; give policies=endpoint, or url=fcfs=ADDRESS,pars=ADDRESS, or, if it does trust"
            " clients, trust_priority=on."
        )


def _root(url: str) -> str:
    return url.strip().rstrip("/").removesuffix("/v1")


def _settings(config: ReplayConfig) -> dict[str, str]:
    backlog = {"PARS_RANKING_BACKLOG_MS": str(config.ranking_backlog_ms)}
    return server_settings(config.target_llm, config.llm, config.vllm_args, config.patience_s) | backlog


def server_settings(target_llm: str, llm: str | None, vllm_args: str | None, patience_s: float) -> dict[str, str]:
    """The server trusts the client's priorities and, so that imposed lengths do not leak, ignores `max_tokens`.

    It must rank, so it ends without a ranker.
    """
    own_args = vllm_args or (DEMO_VLLM_ARGS if llm is None else "")
    settings = {
        "PARS_TARGET_LLM": target_llm,
        "PARS_LLM": llm,
        "PARS_VLLM_ARGS": f"{own_args} {STREAM_INTERVAL}",
        "PARS_PATIENCE_S": str(patience_s),
        "PARS_TRUST_CLIENT_PRIORITY": "on",
        "PARS_CAP_BY_MAX_TOKENS": "off",
        "PARS_REQUIRE_RANKER": "on",
        "MLFLOW_TRACKING_URI": mlflow.get_tracking_uri(),
    }
    return {name: value for name, value in settings.items() if value}
