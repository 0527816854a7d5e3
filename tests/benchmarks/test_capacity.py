"""What load 1 is."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.capacity import saturating, steady_requests_per_s
from tests.benchmarks.queueing import S_PER_TOKEN, waits_s
from traffic.batch import Traffic


def burst(output_tokens: np.ndarray, servers: int) -> pd.DataFrame:
    """Answers of a few servers to requests that all come at once, 5 s after the start."""
    ttft_s = waits_s(np.zeros(len(output_tokens)), output_tokens, np.arange(len(output_tokens)), servers)
    e2e_s = ttft_s + (output_tokens - 1) * S_PER_TOKEN
    return pd.DataFrame({"sent_s": 5.0, "output_tokens": output_tokens, "ttft_s": ttft_s, "e2e_s": e2e_s})


def lognormal(requests: int, sigma: float) -> np.ndarray:
    return np.maximum(1, np.random.default_rng(0).lognormal(4, sigma, requests)).astype(int)


@pytest.mark.parametrize(("requests", "servers", "sigma"), [(300, 8, 1.0), (300, 16, 1.5), (1280, 256, 1.0)])
def test_capacity_is_what_full_servers_get_through_however_long_the_tail(
    requests: int, servers: int, sigma: float
) -> None:
    tokens = lognormal(requests, sigma)
    full_per_s = servers / (tokens.mean() * S_PER_TOKEN)
    answers = burst(tokens, servers)
    assert steady_requests_per_s(answers) == pytest.approx(full_per_s, rel=0.01)
    assert requests / answers.e2e_s.max() < 0.95 * full_per_s, "a burst's own throughput is no capacity"


def test_answers_of_one_token_count_when_they_come() -> None:
    assert steady_requests_per_s(burst(np.ones(500, dtype=int), 8)) == pytest.approx(8 / S_PER_TOKEN, rel=0.05)


def test_burst_in_which_nothing_waits_has_no_steady_stretch_and_counts_as_a_whole() -> None:
    answers = burst(lognormal(20, 1.0), servers=64)
    assert steady_requests_per_s(answers) == pytest.approx(20 / answers.e2e_s.max())


def test_too_few_requests_come_over_again_until_a_queue_outlasts_them() -> None:
    traffic = Traffic(arrival_s=np.arange(30.0), prompt_tokens=np.arange(30), output_tokens=np.arange(1, 31))
    assert len(saturating(traffic, max_num_seqs=4, seed=0)) == 30
    many = saturating(traffic, max_num_seqs=16, seed=0)
    assert len(many) == 80
    assert set(np.unique(many.output_tokens, return_counts=True)[1]) == {2, 3}
    assert not many.arrival_s.any()
