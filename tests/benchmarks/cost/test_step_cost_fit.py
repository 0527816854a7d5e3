"""What a step costs, from answers alone."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.cost.measure_engine import EngineMeasurementConfig
from benchmarks.cost.step_cost_fit import RankingCost, fit_step_cost
from benchmarks.simulation.engine_settings import EngineSettings
from benchmarks.simulation.intake import Order
from benchmarks.simulation.run import Run, simulate_run
from benchmarks.simulation.step_cost import StepCost
from registry.errors import InvalidInput
from traffic.served_log import Traffic

ENGINE = EngineSettings(max_num_seqs=8, max_model_len=4096)
TRUE = StepCost(
    fixed_s=0.006, per_token_s=8e-5, per_sequence_s=7e-4, intake_s=0.0015, handing_on_s=0.0005, transit_s=0.005
)
NOISE = 0.03
SEND_S = 1e-4
"""What the client needs for each request of a burst."""


def burst(size: int, prompt_tokens: int, output_tokens: int, slowness: float = 1.0) -> pd.DataFrame:
    """What a client would see of a burst that it needs a moment to send."""
    traffic = Traffic(
        arrival_s=np.zeros(size),
        prompt_tokens=np.full(size, prompt_tokens),
        output_tokens=np.full(size, output_tokens),
    )
    answers = simulate_run(Run(traffic=traffic, order=Order(), engine=ENGINE, cost=TRUE))
    accepted_s = 0.003 + size * TRUE.intake_s + np.arange(1, size + 1) * TRUE.handing_on_s
    sent_s = SEND_S * np.arange(size)
    times_s = {"accepted_s": accepted_s, "ttft_s": answers.ttft_s, "e2e_s": answers.e2e_s}
    since_sent_s = {name: time_s * slowness - sent_s for name, time_s in times_s.items()}
    return answers.assign(sent_s=sent_s, **since_sent_s)


def test_coefficients_of_a_noisy_sweep_are_found_again() -> None:
    config = EngineMeasurementConfig(target_llm="llm", max_num_seqs=8, output_tokens=16)
    rng = np.random.default_rng(0)
    measured = [burst(size, words + 2, tokens, rng.normal(1, NOISE)) for size, words, tokens in config.sweep]
    found = fit_step_cost(measured, ENGINE, RankingCost(0.003, 0.002), on="a test")
    assert found.relative_error < 2 * NOISE
    assert found.step_s(8, 8) == pytest.approx(TRUE.step_s(8, 8), rel=0.1)
    assert found.step_s(1, 1) == pytest.approx(TRUE.step_s(1, 1), rel=0.1)
    assert found.step_s(2000, 8) == pytest.approx(TRUE.step_s(2000, 8), rel=0.25)
    for name in ("intake_s", "handing_on_s", "transit_s"):
        assert getattr(found, name) == pytest.approx(getattr(TRUE, name), rel=0.15), name
    assert (found.ranking_s, found.scoring_s, found.measured_on) == (0.003, 0.002, "a test")


def test_bursts_of_one_size_are_refused() -> None:
    with pytest.raises(InvalidInput, match="at least 2 sizes"):
        fit_step_cost([burst(4, 18, 16), burst(4, 18, 16)], ENGINE, RankingCost(0.0, 0.0), on="a test")


def test_endpoint_that_accepts_with_the_first_token_shows_no_intake(caplog: pytest.LogCaptureFixture) -> None:
    measured = [burst(size, 18, 16) for size in (1, 8)]
    held_back = [one.assign(accepted_s=one.ttft_s) for one in measured]
    found = fit_step_cost(held_back, ENGINE, RankingCost(0.0, 0.0), on="a test")
    assert (found.intake_s, found.handing_on_s) == (0.0, 0.0)
    assert "before its first token" in caplog.text


def test_sweep_goes_from_one_request_to_more_than_fit() -> None:
    sizes = [size for size, _, _ in EngineMeasurementConfig(target_llm="llm", max_num_seqs=6).sweep]
    assert sizes[:5] == [1, 2, 4, 6, 12]
