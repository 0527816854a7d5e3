"""A burst through a server that this process has started: how fast it was, and what it cost all but the engine."""

import asyncio
from dataclasses import dataclass

from benchmarks.endpoint.client import Answer, replay
from benchmarks.endpoint.counters.processor_time import api_processor_s
from benchmarks.endpoint.endpoint import Endpoint
from benchmarks.endpoint.plan import PlannedRequest
from benchmarks.endpoint.priorities import Prioritise


@dataclass(frozen=True)
class Sent:
    """What became of some requests."""

    answers: list[Answer]
    cpu_s: float
    """Processor time of a request in all of the server but its engine."""

    @property
    def tokens_per_s(self) -> float:
        """Output tokens a second, until the last answer ended."""
        ended_s = max(answer.sent_s + answer.e2e_s for answer in self.answers)
        return sum(answer.output_tokens for answer in self.answers) / ended_s


def send(endpoint: Endpoint, requests: list[PlannedRequest], policy: Prioritise, title: str) -> Sent:
    """Send requests as planned.

    Raises:
        ReplayError: a request failed.
    """
    before_s = api_processor_s()
    answers = asyncio.run(replay(endpoint, requests, policy, title))
    return Sent(answers, (api_processor_s() - before_s) / len(requests))
