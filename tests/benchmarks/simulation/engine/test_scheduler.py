"""vLLM's own scheduler under a virtual clock."""

import numpy as np
import pytest

from benchmarks.simulation.engine.engine_settings import EngineSettings, Served
from benchmarks.simulation.engine.order import SentRequest
from benchmarks.simulation.engine.scheduler import VirtualEngine
from benchmarks.simulation.engine.virtual_server import VirtualServer
from serving.work.step_cost import StepCost

STEP = StepCost(fixed_s=1.0, per_token_s=0.0, per_sequence_s=0.0)


def request(number: int, output_tokens: int, *, prompt_tokens: int = 4, **changes: object) -> SentRequest:
    """One that nothing holds up on its way to the engine, with the smaller priority the smaller its number."""
    one = SentRequest(number, 0.0, prompt_tokens, output_tokens, number + 1, None, None, 0)
    return one._replace(**changes)


def run(
    requests: list[SentRequest], settings: EngineSettings, cost: StepCost = STEP
) -> tuple[dict[int, Served], VirtualEngine]:
    server = VirtualServer(settings, cost, backlog_s=2.0, longest_request=100)
    server.send(sorted(requests, key=lambda one: one.sent_s))
    return {one.number: one for one in server.run()}, server.engine


def settings(**changes: object) -> EngineSettings:
    return EngineSettings(**({"max_num_seqs": 2, "max_model_len": 4096} | changes))  # type: ignore[arg-type]


def test_step_yields_a_token_a_sequence_and_the_clock_counts_steps() -> None:
    served, engine = run([request(0, 3), request(1, 1)], settings())
    assert (served[0].first_token_s, served[0].last_token_s) == (1.0, 3.0)
    assert (served[1].first_token_s, served[1].last_token_s) == (1.0, 1.0)
    assert (engine.num_steps, engine.num_requests) == (3, 0)


def test_cost_counts_the_tokens_and_sequences_of_a_step() -> None:
    cost = StepCost(fixed_s=1.0, per_token_s=0.1, per_sequence_s=0.01)
    served, _ = run([request(0, 2), request(1, 1)], settings(), cost)
    assert served[1].last_token_s == pytest.approx(1 + 8 * 0.1 + 2 * 0.01)
    assert served[0].last_token_s == pytest.approx(served[1].last_token_s + 1 + 0.1 + 0.01)


def test_cost_counts_what_is_in_context_and_the_longest_of_it() -> None:
    cost = StepCost(fixed_s=1.0, per_token_s=0.0, per_sequence_s=0.0, per_context_token_s=0.01, per_longest_token_s=0.1)
    served, _ = run([request(0, 2, prompt_tokens=10), request(1, 1, prompt_tokens=4)], settings(), cost)
    assert served[1].last_token_s == pytest.approx(1 + 14 * 0.01 + 10 * 0.1)
    assert served[0].last_token_s == pytest.approx(served[1].last_token_s + 1 + 11 * 0.01 + 11 * 0.1)


def test_chunk_costs_the_context_that_is_computed_by_then() -> None:
    cost = StepCost(fixed_s=1.0, per_token_s=0.0, per_sequence_s=0.0, per_context_token_s=1.0)
    served, _ = run([request(0, 1, prompt_tokens=20)], settings(max_num_batched_tokens=16), cost)
    assert served[0].first_token_s == pytest.approx(1 + 16 + 1 + 20)


def test_lower_priority_number_goes_first_and_arrival_breaks_ties() -> None:
    four = [
        request(3, 1, known=1),
        request(0, 1, known=9, sent_s=0.1),
        request(2, 1, known=5, sent_s=0.2),
        request(1, 1, known=5, sent_s=0.5),
    ]
    served, _ = run(four, settings(max_num_seqs=1))
    assert sorted(served, key=lambda number: served[number].last_token_s) == [3, 2, 1, 0]


def test_request_enters_when_it_is_ready_and_the_clock_jumps_over_silence() -> None:
    served, engine = run([request(0, 1), request(1, 1, sent_s=100.0)], settings())
    assert served[1].first_token_s == 101.0
    assert engine.num_steps == 2


def test_long_prompt_is_computed_in_chunks() -> None:
    served, _ = run([request(0, 1, prompt_tokens=50)], settings(max_num_batched_tokens=16))
    assert served[0].first_token_s == 4.0


def test_full_kv_cache_preempts_the_largest_priority_number() -> None:
    requests = [request(0, 40, prompt_tokens=15), request(1, 40, prompt_tokens=15)]
    roomy, _ = run(requests, settings())
    served, _ = run(requests, settings(kv_cache_tokens=64, max_model_len=64))
    assert all(one.preemptions == one.recomputed_tokens == 0 for one in roomy.values())
    assert (served[0].preemptions, served[0].recomputed_tokens, served[0].last_token_s) == (0, 0, 40.0)
    assert served[1].preemptions > 0
    assert served[1].last_token_s > 40.0


@pytest.mark.parametrize("switch", ["off", "on"])
def test_recomputed_tokens_are_what_is_computed_beyond_each_request_once(switch: str) -> None:
    rng = np.random.default_rng(0)
    shapes = rng.integers(1, 60, (30, 2)).tolist()
    requests = [
        request(number, answer, prompt_tokens=prompt, token_ids=tuple(rng.integers(0, 999, prompt).tolist()))
        for number, (prompt, answer) in enumerate(shapes)
    ]
    counts_tokens = StepCost(fixed_s=0.0, per_token_s=1.0, per_sequence_s=0.0)
    scarce = settings(max_num_seqs=8, kv_cache_tokens=256, max_model_len=120, prefix_caching=switch)
    served, _ = run(requests, scarce, counts_tokens)
    recomputed = sum(one.recomputed_tokens for one in served.values())
    once = sum(prompt + answer - 1 for prompt, answer in shapes)
    assert max(one.last_token_s for one in served.values()) == once + recomputed
    assert recomputed > 0


@pytest.mark.parametrize(("switch", "steps"), [("off", 8), ("on", 5)])
def test_equal_beginnings_are_computed_once_where_prefixes_are_cached(switch: str, steps: int) -> None:
    prompt = tuple(range(64))
    one = request(0, 1, prompt_tokens=64, token_ids=prompt)
    other = request(1, 1, prompt_tokens=64, token_ids=prompt)
    _, engine = run([one, other], settings(max_num_seqs=1, max_num_batched_tokens=16, prefix_caching=switch))
    assert engine.num_steps == steps


def test_run_in_parts_is_the_run_as_a_whole() -> None:
    rng = np.random.default_rng(0)
    requests = [request(i, int(rng.integers(1, 30)), sent_s=float(rng.uniform(0, 40))) for i in range(60)]
    whole, _ = run(requests, settings(max_num_seqs=4))
    server, served = VirtualServer(settings(max_num_seqs=4), STEP, 2.0, 100), []
    for end_s in np.arange(5.0, 500.0, 5.0):
        due = [one for one in requests if end_s - 5 <= one.sent_s < end_s]
        server.send(sorted(due, key=lambda one: one.sent_s))
        served += server.run(float(end_s))
    assert {one.number: one for one in served} == whole
    assert len(served) == 60
