"""Replays every policy at every load, again and again, in an order that treats all alike."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from benchmarks.arrivals import ArrivalProcess
from benchmarks.capacity import steady_requests_per_s
from benchmarks.endpoint.client import Answer, replay
from benchmarks.endpoint.counters.engine_counters import preemptions
from benchmarks.endpoint.endpoint import Endpoint
from benchmarks.endpoint.plan import PlannedRequest, plan_requests
from benchmarks.endpoint.priorities import ClientOrder, Prioritise, pars
from benchmarks.policies.policy_list import MIRROR_OF, Policy
from benchmarks.replay.config import ReplayConfig
from benchmarks.replay.policy_endpoints import PolicyEndpoints
from benchmarks.replay.replay_policies import SERVERS_OWN
from benchmarks.replay.requests_to_send import as_recorded
from registry.request_features import RequestView
from traffic.labelled_prompts import LabelledPrompts
from traffic.recorded import Recorded


@dataclass(frozen=True)
class Sweep:
    """What is sent, to whom, in which orders."""

    config: ReplayConfig
    policies: tuple[Policy, ...]
    endpoints: PolicyEndpoints
    prompts: LabelledPrompts
    order: ClientOrder
    recorded: Mapping[RequestView, Recorded]
    """What is sent of each request beside its text, or instead of it."""

    def warm_up(self) -> None:
        """Send requests to every endpoint and count nothing: a server's first burst finds it cold."""
        burst = self.plan(0)[: self.config.warm_up_requests]
        for one in {one.url: one for one in self.endpoints.of.values()}.values() if burst else ():
            self._send(one, burst, pars, "warm-up")

    def capacity_per_s(self) -> float:
        """Requests per second while more of a burst wait, first come, first served where that is to be had."""
        policy, requests = self.policies[0], self.plan(0)
        answers = self._send(self.endpoints.of[policy.name], requests, self._prioritise(policy, requests), "capacity")
        return steady_requests_per_s(pd.DataFrame(answers))

    def run(self, capacity_per_s: float) -> pd.DataFrame:
        """One row an answer (`benchmarks/answers.py`; also `lag_s`, `accepted_s`), by load, then policy."""
        frames = [
            answers.assign(policy=policy.name, repeat=repeat, load=load)
            for load in self.config.loads or (np.nan,)
            for policy, repeat, answers in self._at(load, capacity_per_s)
        ]
        order = [policy.name for policy in self.policies]
        rows = pd.concat(frames, ignore_index=True)
        rows["place"] = rows.policy.map(order.index)
        return rows.sort_values(["load", "place"], kind="stable", ignore_index=True).drop(columns="place")

    def plan(self, repeat: int, rate_per_s: float | None = None) -> list[PlannedRequest]:
        """The requests of a replay, all at once unless there is a rate; 0 is the trace's own."""
        planned = plan_requests(
            list(self.prompts.prompts),
            self.prompts.output_tokens.astype(int).tolist(),
            ArrivalProcess() if rate_per_s is None else self.config.arrival_process(rate_per_s),
            seed=self.config.seed + repeat // 2,
            is_reversed=is_reversed(repeat),
        )
        return [as_recorded(one, self.prompts, self.recorded, self.config.limit_tokens) for one in planned]

    def _at(self, load: float, capacity_per_s: float) -> Iterator[tuple[Policy, int, pd.DataFrame]]:
        """Each repeat runs every policy, each time beginning with another one."""
        chosen = self.policies
        rate_per_s = 0.0 if np.isnan(load) else load * capacity_per_s
        for repeat in range(self.config.repeats):
            requests = self.plan(repeat, rate_per_s)
            for policy in chosen[repeat % len(chosen) :] + chosen[: repeat % len(chosen)]:
                at = "" if np.isnan(load) else f" at {load:g} × capacity"
                title = f"{policy.name}{at}, replay {repeat + 1} of {self.config.repeats}"
                endpoint = self.endpoints.of_run(policy.name, is_reversed(repeat))
                yield (
                    policy,
                    repeat,
                    self._run(endpoint, requests, self._prioritise(policy, requests, is_reversed(repeat)), title),
                )

    def _run(
        self, endpoint: Endpoint, requests: list[PlannedRequest], prioritise: Prioritise, title: str
    ) -> pd.DataFrame:
        """The answers of one run. A live engine counts preemptions in all, so each request gets the mean of its run."""
        before = preemptions(endpoint)
        answers = pd.DataFrame(self._send(endpoint, requests, prioritise, title))
        after = preemptions(endpoint)
        counted = {} if before is None or after is None else {"preemptions": (after - before) / len(answers)}
        planned = {
            "request": [one.number for one in requests],
            "recorded_tokens": [one.output_tokens for one in requests],
        }
        return answers.assign(**planned, **counted)

    def _send(
        self, endpoint: Endpoint, requests: list[PlannedRequest], prioritise: Prioritise, title: str
    ) -> list[Answer]:
        return asyncio.run(replay(endpoint, requests, prioritise, title))

    def _prioritise(self, policy: Policy, requests: list[PlannedRequest], is_mirrored: bool = False) -> Prioritise:
        if not self.endpoints.sends_priority or policy.kind in SERVERS_OWN:
            return pars
        if is_mirrored:
            policy = replace(policy, kind=MIRROR_OF.get(policy.kind, policy.kind))
        return self.order.prioritise(policy, requests)


def is_reversed(repeat: int) -> bool:
    """Whether a repeat sends the prompts of the one before in the opposite order."""
    return repeat % 2 == 1
