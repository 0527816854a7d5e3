"""Where each policy is served: on a server of our own, or on endpoints that run already."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.endpoint import endpoint
from benchmarks.endpoint.endpoint import Endpoint
from benchmarks.endpoint.live_server import serve
from benchmarks.policies.policy_list import kind_of
from benchmarks.replay.config import ReplayConfig
from benchmarks.replay.control import CONTROL_LLM, MIRROR_LLM
from benchmarks.replay.own_server import own_rankers
from registry.errors import InvalidInput
from registry.request_features import Readable

NEED_NO_PRIORITY = ("fcfs", "pars", "endpoint")
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

    ranker: str | None = None
    """The ranker of `pars`, where the server was started for this replay."""

    def of_run(self, policy: str, is_reversed: bool) -> Endpoint:
        """Where a run of the policy goes: under the control every second one to its mirror image."""
        one = self.of[policy]
        if kind_of(policy) != "control":
            return one
        return replace(one, model=MIRROR_LLM if is_reversed else CONTROL_LLM)

    @property
    def any(self) -> Endpoint:
        """One that stands for all: they serve the same model."""
        return next(iter(self.of.values()))


@contextmanager
def endpoints(
    config: ReplayConfig, names: Sequence[str], server_log: Path, prompts: Sequence[Readable] = ()
) -> Iterator[PolicyEndpoints]:
    """Yield where the policies are served; a server that was started is stopped.

    `prompts` are some of those that will be sent: a control of our own server is calibrated on them.

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
    with own_rankers(config, prompts, "control" in names) as own, serve(own.settings(config), server_log) as url:
        one = endpoint.connect(url)
        yield PolicyEndpoints(dict.fromkeys(names, one), is_ours=True, sends_priority=True, ranker=own.champion)


def parse_urls(text: str, names: Sequence[str], trusts_priority: bool) -> dict[str, str]:
    """The address of each policy.

    Raises:
        InvalidInput: a policy has no address, or needs the client's priority on an endpoint that does not trust it; or
            the control, which no endpoint serves that runs already.
    """
    if "control" in names:
        raise InvalidInput(
            "the control goes the server's own way, which takes a server that is started for it, but url names one that"
            " runs already; leave control out (policies=fcfs,pars), or leave url out."
        )
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
