"""What a step costs, from answers alone."""

from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from benchmarks.cost.certainty import certainty, sentences
from benchmarks.cost.designed_bursts import DesignedBurst, designed_bursts
from benchmarks.cost.measure_engine import log
from benchmarks.cost.measured_sweep import MeasuredSweep
from benchmarks.cost.step_cost_fit import RankingCost, fit_step_cost
from benchmarks.simulation.engine.engine_settings import EngineSettings
from benchmarks.simulation.engine.order import Order
from benchmarks.simulation.engine.run import Run, simulate_run
from registry.errors import InvalidInput
from serving.work.step_cost import StepCost
from tests.conftest import tracking
from traffic.batch import Traffic

ENGINE = EngineSettings(max_num_seqs=4, max_model_len=4096)
TRUE = StepCost(
    fixed_s=0.006,
    per_token_s=8e-5,
    per_sequence_s=7e-4,
    per_longest_token_s=1e-5,
    intake_s=0.0015,
    handing_on_s=0.0005,
    transit_s=0.005,
)
NOISE = 0.03
SEND_S = 1e-4
"""What the client needs for each request of a burst."""


def sent(one: DesignedBurst, slowness: float = 1.0) -> pd.DataFrame:
    """What a client would see of a burst that it needs a moment to send."""
    size = len(one.words)
    traffic = Traffic(
        arrival_s=np.zeros(size),
        prompt_tokens=np.array(one.words) + 2,
        output_tokens=np.full(size, one.output_tokens),
    )
    answers = simulate_run(Run(traffic=traffic, order=Order(), engine=ENGINE, cost=TRUE))
    accepted_s = 0.003 + size * TRUE.intake_s + np.arange(1, size + 1) * TRUE.handing_on_s
    sent_s = SEND_S * np.arange(size)
    times_s = {"accepted_s": accepted_s, "ttft_s": answers.ttft_s, "e2e_s": answers.e2e_s}
    since_sent_s = {name: time_s * slowness - sent_s for name, time_s in times_s.items()}
    return answers.assign(sent_s=sent_s, **since_sent_s)


def burst(size: int) -> pd.DataFrame:
    return sent(DesignedBurst("decode", (16,) * size, 16))


@pytest.fixture(scope="module")
def sweep() -> MeasuredSweep:
    rng = np.random.default_rng(0)
    designs = designed_bursts(ENGINE.max_num_seqs, output_tokens=12, context_tokens=800)
    return MeasuredSweep([sent(one, float(rng.normal(1, NOISE))) for one in designs], ENGINE)


@pytest.fixture(scope="module")
def found(sweep: MeasuredSweep) -> StepCost:
    return fit_step_cost(sweep, RankingCost(0.003, 0.002), on="a test")


@pytest.fixture(scope="module")
def known(sweep: MeasuredSweep, found: StepCost) -> pd.DataFrame:
    return certainty(sweep, found)


def test_coefficients_of_a_noisy_sweep_are_found_again(found: StepCost) -> None:
    assert found.relative_error < 2 * NOISE
    for tokens, contexts in ((4, [20] * 4), (1, [20]), (4, [800] * 4), (4, [800] + [20] * 3)):
        assert found.step_s(tokens, contexts) == pytest.approx(TRUE.step_s(tokens, contexts), rel=0.1)
    assert found.step_s(2000, [250] * 8) == pytest.approx(TRUE.step_s(2000, [250] * 8), rel=0.25)
    for name in ("intake_s", "handing_on_s", "transit_s"):
        assert getattr(found, name) == pytest.approx(getattr(TRUE, name), rel=0.15), name
    assert (found.ranking_s, found.scoring_s, found.measured_on) == (0.003, 0.002, "a test")


def test_what_costs_is_missed_and_what_costs_nothing_cannot_be_told_from_0(known: pd.DataFrame) -> None:
    longest, context = known.loc["per_longest_token_s"], known.loc["per_context_token_s"]
    assert abs(longest.value - TRUE.per_longest_token_s) < 3 * longest.standard_error
    assert longest.error_without > 1.5 * longest.error
    assert context.error_without < 1.1 * context.error
    text = {one.split(":")[0]: one for one in sentences(known)}
    assert "which is told from 0; without it" in text["per_longest_token_s"]
    assert "which cannot be told from 0; without it" in text["per_context_token_s"]
    assert "without" not in text["fixed_s"]


def test_what_was_measured_is_logged_and_its_file_can_be_simulated_with(
    sweep: MeasuredSweep, found: StepCost, known: pd.DataFrame, tmp_path: Path
) -> None:
    with tracking(f"sqlite:///{tmp_path / 'mlflow.db'}"):
        experiment = mlflow.create_experiment("engine", (tmp_path / "artifacts").as_uri())
        with mlflow.start_run(experiment_id=experiment) as run:
            text = log(found, known, sweep)
        metrics = mlflow.get_run(run.info.run_id).data.metrics
    assert StepCost.read(text.split("cost=")[1].splitlines()[0]) == found
    assert metrics["per_longest_token_s"] == found.per_longest_token_s
    assert metrics["per_longest_token_s.standard_error"] == known.standard_error["per_longest_token_s"]
    assert "per_longest_token_s: " in text


def test_bursts_of_one_size_are_refused() -> None:
    with pytest.raises(InvalidInput, match="at least 2 sizes"):
        fit_step_cost(MeasuredSweep([burst(4), burst(4)], ENGINE), RankingCost(0.0, 0.0), on="a test")


def test_endpoint_that_accepts_with_the_first_token_shows_no_intake(caplog: pytest.LogCaptureFixture) -> None:
    held_back = [one.assign(accepted_s=one.ttft_s) for one in (burst(1), burst(4))]
    found = fit_step_cost(MeasuredSweep(held_back, ENGINE), RankingCost(0.0, 0.0), on="a test")
    assert (found.intake_s, found.handing_on_s) == (0.0, 0.0)
    assert "before its first token" in caplog.text
