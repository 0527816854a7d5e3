"""What a step costs, from answers alone."""

import numpy as np
import pytest

from benchmarks.simulation.calibrate import CalibrationConfig
from benchmarks.simulation.cost import StepCost
from benchmarks.simulation.fit import RankingCost, fit_step_cost
from benchmarks.simulation.intake import Order, Traffic
from benchmarks.simulation.requests import EngineSettings
from benchmarks.simulation.run import Run, simulate_run

ENGINE = EngineSettings(max_num_seqs=8, max_model_len=4096)
TRUE = StepCost(
    fixed_s=0.006, per_token_s=8e-5, per_sequence_s=7e-4, intake_s=0.0015, handing_on_s=0.0005, transit_s=0.005
)
NOISE = 0.03


def test_coefficients_of_a_noisy_sweep_are_found_again() -> None:
    config = CalibrationConfig(target_llm="llm", max_num_seqs=8, output_tokens=16)
    rng = np.random.default_rng(0)
    measured = []
    for size, words, tokens in config.sweep:
        traffic = Traffic(
            sent_s=np.zeros(size), prompt_tokens=np.full(size, words + 2), output_tokens=np.full(size, tokens)
        )
        answers = simulate_run(Run(traffic=traffic, order=Order(), engine=ENGINE, cost=TRUE))
        slowness = rng.normal(1, NOISE)
        times = {name: answers[name] * slowness for name in ("ttft_s", "e2e_s")}
        accepted_s = size * TRUE.intake_s + np.arange(1, size + 1) * TRUE.handing_on_s
        measured.append(answers.assign(accepted_s=(0.003 + accepted_s) * slowness, **times))
    found = fit_step_cost(measured, ENGINE, RankingCost(0.003, 0.002), on="a test")
    assert found.relative_error < 2 * NOISE
    assert found.step_s(8, 8) == pytest.approx(TRUE.step_s(8, 8), rel=0.1)
    assert found.step_s(1, 1) == pytest.approx(TRUE.step_s(1, 1), rel=0.1)
    assert found.step_s(2000, 8) == pytest.approx(TRUE.step_s(2000, 8), rel=0.25)
    for name in ("intake_s", "handing_on_s", "transit_s"):
        assert getattr(found, name) == pytest.approx(getattr(TRUE, name), rel=0.15), name
    assert (found.ranking_s, found.scoring_s, found.measured_on) == (0.003, 0.002, "a test")


def test_sweep_goes_from_one_request_to_more_than_fit() -> None:
    sizes = [size for size, _, _ in CalibrationConfig(target_llm="llm", max_num_seqs=6).sweep]
    assert sizes[:5] == [1, 2, 4, 6, 12]
