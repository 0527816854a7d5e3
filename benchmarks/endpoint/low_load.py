"""What ranking costs when nothing queues: one request at a time, ranked and not ranked in turn."""

import asyncio
from dataclasses import dataclass, replace
from statistics import median

from tqdm import tqdm

from benchmarks.endpoint.client import Answer, replay
from benchmarks.endpoint.endpoint import Endpoint
from benchmarks.endpoint.plan import PlannedRequest
from benchmarks.endpoint.priorities import Prioritise, fcfs, pars

OUTPUT_TOKENS = 8
"""The time to the first token is what ranking can delay; the rest only takes time to measure."""


@dataclass(frozen=True)
class LowLoad:
    """Median time to first token with one request at a time, in milliseconds."""

    requests: int
    ranked_ttft_ms: float
    unranked_ttft_ms: float

    @property
    def ranking_delay_ms(self) -> float:
        """With ranking minus without."""
        return self.ranked_ttft_ms - self.unranked_ttft_ms


def measure(endpoint: Endpoint, requests: list[PlannedRequest]) -> LowLoad:
    """Send each request ranked and not ranked (in that order and the opposite in turn), one at a time."""
    ttft_ms: dict[Prioritise, list[float]] = {pars: [], fcfs: []}
    for index, request in enumerate(tqdm(requests, desc="low load", unit="pair", mininterval=1)):
        for policy in (pars, fcfs) if index % 2 else (fcfs, pars):
            ttft_ms[policy].append(_send_one(endpoint, request, policy).ttft_s * 1000)
    return LowLoad(len(requests), median(ttft_ms[pars]), median(ttft_ms[fcfs]))


def _send_one(endpoint: Endpoint, request: PlannedRequest, policy: Prioritise) -> Answer:
    alone = replace(request, output_tokens=OUTPUT_TOKENS, send_s=0.0)
    return asyncio.run(replay(endpoint, [alone], policy))[0]
