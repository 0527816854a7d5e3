"""What ranking costs when nothing queues: one request at a time, ranked and not ranked in turn."""

import asyncio
from dataclasses import asdict, dataclass, replace

import pandas as pd

from benchmarks.answers import ALONE
from benchmarks.endpoint.client import Answer, replay
from benchmarks.endpoint.endpoint import Endpoint
from benchmarks.endpoint.plan import PlannedRequest
from benchmarks.endpoint.priorities import Prioritise, fcfs, pars
from terminal.progress import track

MOST_OUTPUT_TOKENS = 64
"""Longer answers are cut: nothing waits for them here, and all of their tokens take as long as the first ones do."""
POLICIES: dict[str, Prioritise] = {"fcfs": fcfs, "pars": pars}


@dataclass(frozen=True)
class LowLoad:
    """Requests that were sent one at a time, each of them both ranked (`pars`) and not (`fcfs`)."""

    answers: pd.DataFrame
    """One row an answer (`benchmarks/answers.py`), at the load `ALONE`."""

    @property
    def requests(self) -> int:
        """How many there were."""
        return self.answers.request.nunique()

    @property
    def ranked_ttft_ms(self) -> float:
        """Median time to the first token, in milliseconds."""
        return self._ttft_ms("pars")

    @property
    def unranked_ttft_ms(self) -> float:
        """Median time to the first token, in milliseconds."""
        return self._ttft_ms("fcfs")

    @property
    def ranking_delay_ms(self) -> float:
        """With ranking minus without."""
        return self.ranked_ttft_ms - self.unranked_ttft_ms

    def _ttft_ms(self, policy: str) -> float:
        return float(self.answers[self.answers.policy == policy].ttft_s.median()) * 1000


def measure(endpoint: Endpoint, requests: list[PlannedRequest]) -> LowLoad:
    """Send each request ranked and not ranked (in that order and the opposite in turn), one at a time."""
    rows: list[dict[str, float | str]] = []
    for index, request in enumerate(track(requests, "one request at a time, ranked and not", "pairs")):
        for policy in ("pars", "fcfs") if index % 2 else ("fcfs", "pars"):
            answer = asdict(_send_one(endpoint, request, POLICIES[policy]))
            rows.append({"policy": policy, "request": request.number, **answer})
    answers = pd.DataFrame(rows).assign(repeat=0, load=ALONE).sort_values("policy", kind="stable", ignore_index=True)
    # Each was sent when the one before had been answered.
    ended_s = answers.groupby("policy").e2e_s.cumsum()
    return LowLoad(answers.assign(sent_s=ended_s - answers.e2e_s))


def _send_one(endpoint: Endpoint, request: PlannedRequest, policy: Prioritise) -> Answer:
    alone = replace(request.cut_at(MOST_OUTPUT_TOKENS), send_s=0.0)
    return asyncio.run(replay(endpoint, [alone], policy))[0]
