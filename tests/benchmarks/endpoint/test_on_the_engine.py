"""What a replay asks of the real engine, and what the engine makes of it."""

import asyncio

from benchmarks.endpoint.client import replay
from benchmarks.endpoint.counters.engine_counters import preemptions
from benchmarks.endpoint.counters.prefix_cache import prefix_cache
from benchmarks.endpoint.endpoint import Endpoint, connect
from benchmarks.endpoint.plan import PlannedRequest
from benchmarks.endpoint.priorities import pars
from tests.servers import RunningServer

LONG = " ".join(f"word {i}" for i in range(400))
"""Longer than several blocks of the prefix cache."""


def found_tokens(endpoint: Endpoint, *requests: PlannedRequest) -> float:
    """Prompt tokens that one replay found in the prefix cache."""
    before = prefix_cache(endpoint)
    asyncio.run(replay(endpoint, requests, pars))
    after = prefix_cache(endpoint)
    assert before is not None
    assert after is not None
    assert (after - before).looked_up_tokens > 1000
    return (after - before).found_tokens


def test_replay_finds_prefixes_of_its_own_and_none_of_another_replay(server: RunningServer) -> None:
    endpoint = connect(server.url)
    one, later = PlannedRequest(LONG, 2, 0.0), PlannedRequest(LONG, 2, 2.0)
    other = PlannedRequest(f"another {LONG}", 2, 0.0)
    assert found_tokens(endpoint, one, other) == 0
    assert found_tokens(endpoint, one, other) == 0
    assert found_tokens(endpoint, one, later) > 500


def test_chat_has_its_recorded_length_and_one_first_token(server: RunningServer) -> None:
    chat = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "hello there"}]
    endpoint = connect(server.url)
    requests = [PlannedRequest("hello there", 7, 0.0), PlannedRequest("hello there", 9, 0.0, chat=chat)]
    completion, answer = asyncio.run(replay(endpoint, requests, pars))
    assert (completion.output_tokens, answer.output_tokens) == (7, 9)
    assert answer.prompt_tokens > completion.prompt_tokens
    assert 0 < answer.accepted_s < answer.ttft_s < answer.e2e_s


def test_engine_says_how_often_it_preempted(server: RunningServer) -> None:
    assert preemptions(connect(server.url)) == 0  # its KV cache holds more than any test asks for
