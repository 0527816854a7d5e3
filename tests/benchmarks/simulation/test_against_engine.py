"""The simulation against the real engine: calibrated on it, then both are given the same two bursts.

The same bursts several times over, because other bursts have other gains: what differs between replays is then the
machine's doing. A calibration goes before each, so that both see the same spells of other work; and what is compared
is a ratio of two orders of one replay, which a machine that is slower throughout does not change.
"""

import logging
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from benchmarks.cost.measure_engine import EngineMeasurementConfig, measure
from benchmarks.cost.measured_sweep import MeasuredSweep
from benchmarks.cost.step_cost_fit import RankingCost, fit_step_cost
from benchmarks.demo.demo_lengths import write_workload
from benchmarks.demo.demo_llm import write_demo_llm
from benchmarks.endpoint import endpoint
from benchmarks.endpoint.endpoint import NOTHING_RECORDED
from benchmarks.endpoint.priorities import ClientOrder
from benchmarks.replay.config import ReplayConfig
from benchmarks.replay.policy_endpoints import endpoints
from benchmarks.replay.replay_policies import parse_policies
from benchmarks.replay.sweep import Sweep
from benchmarks.report.summary import RATIO, summarise
from benchmarks.simulation.engine.order import Order
from benchmarks.simulation.engine.run import Run, simulate_all
from registry import store
from registry.ranker import Ranker
from serving.work.step_cost import StepCost
from traffic.batch import Traffic
from traffic.labelled_prompts import LabelledPrompts
from traffic.length_log import read_length_log
from training.config import TrainingConfig
from training.train import train_folder

logger = logging.getLogger(__name__)

LAYERS = 12
"""Enough for the engine to be what takes the time."""
VLLM_ARGS = "--dtype float32 --enforce-eager --max-model-len 320 --max-num-seqs 8 --max-num-batched-tokens 2048"
REQUESTS = 180
"""A burst of few is decided by the eight that the engine takes first, and who these are is luck."""
REPLAYS = 3
BURST_AND_REVERSE = 2
TOLERANCE = 1.15
"""The simulated gain may be that many times as far from any that the replays leave possible."""
TRAINING_PROMPTS = 400
"""Of the embedded workload: enough for a ranker that orders, and trained within a minute."""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReplayConfig:
    """A ranker that was trained on other prompts of the embedded workload is the champion."""
    path = tmp_path / "lengths.jsonl"
    write_workload(path, 15 * REQUESTS)
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}")
    mlflow.set_experiment(experiment_id=mlflow.create_experiment("replay", (tmp_path / "artifacts").as_uri()))
    training = TrainingConfig(
        lengths=path, target_llm="replayed", max_prompts=TRAINING_PROMPTS, trials=0, epochs=2, batch_prompts=16
    )
    with mlflow.start_run():
        store.register(train_folder(training, tmp_path / "ranker"))
    store.promote("replayed")
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
    llm = str(write_demo_llm(tmp_path / "llm", LAYERS))
    return ReplayConfig(
        lengths=path,
        target_llm="replayed",
        llm=llm,
        vllm_args=VLLM_ARGS,
        policies="fcfs,pars",
        requests=REQUESTS,
        repeats=BURST_AND_REVERSE,
    )


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_simulated_gain_is_within_15_percent_of_what_the_replays_say(config: ReplayConfig, tmp_path: Path) -> None:
    calibration = EngineMeasurementConfig(
        target_llm="replayed", max_num_seqs=8, max_num_batched_tokens=2048, max_model_len=320, repeats=1
    )
    with endpoints(config, ("fcfs", "pars"), tmp_path / "server.log") as served:
        prompts = endpoint.choose_that_fit(served.any, _test_prompts(config), REQUESTS)
        sweep = Sweep(config, parse_policies(config), served, prompts, ClientOrder({}), NOTHING_RECORDED)
        sweep.warm_up()
        rounds = [(*measure(calibration, served.any), sweep.run(0.0)) for _ in range(REPLAYS)]
    measured = MeasuredSweep([burst for bursts, _, _ in rounds for burst in bursts], calibration.engine)
    ranking = RankingCost(*np.median([ranking for _, ranking, _ in rounds], axis=0))
    cost = fit_step_cost(measured, ranking, "this machine")
    replayed = [float(summarise(answers)[RATIO]["pars"]) for _, _, answers in rounds]
    runs = _runs(config, calibration, sweep, rounds[0][2], cost, tmp_path)
    simulated = float(summarise(pd.concat(simulate_all(runs)))[RATIO]["pars"])
    low, high = _interval(replayed)
    said = f"FCFS / PARS: simulated {simulated:.2f}, replayed {replayed}, so {low:.2f} to {high:.2f}. {cost.sentence}"
    logger.info("%s Off by %.1f%% in the median.", said, 100 * cost.relative_error)
    assert min(replayed) > 1, said
    assert low / TOLERANCE <= simulated <= high * TOLERANCE, said


def _interval(ratios: list[float]) -> tuple[float, float]:
    """In which the ratio of this machine lies with 95 %: by Student's t of the logarithms."""
    logs = np.log(ratios)
    half = float(t.ppf(0.975, len(logs) - 1) * logs.std(ddof=1) / np.sqrt(len(logs)))
    return float(np.exp(logs.mean() - half)), float(np.exp(logs.mean() + half))


def _test_prompts(config: ReplayConfig) -> LabelledPrompts:
    return read_length_log(config).part("test", seed=config.seed)


def _runs(
    config: ReplayConfig,
    calibration: EngineMeasurementConfig,
    sweep: Sweep,
    answers: pd.DataFrame,
    cost: StepCost,
    tmp_path: Path,
) -> list[Run]:
    """The same bursts, with the order that the served ranker gives them."""
    ranker = Ranker.load(tmp_path / "ranker")
    runs = []
    for repeat in range(config.repeats):
        plan = sweep.plan(repeat)
        sent = answers[(answers.policy == "fcfs") & (answers.repeat == repeat)]
        traffic = Traffic(
            arrival_s=np.zeros(len(plan)),
            prompt_tokens=sent.prompt_tokens.to_numpy(),
            output_tokens=np.array([one.output_tokens for one in plan]),
        )
        quantiles = np.array([ranker.predict(one.prompt).quantile for one in plan])
        for policy, order in (("fcfs", Order()), ("pars", Order(encoder=quantiles))):
            run = Run(traffic=traffic, order=order, engine=calibration.engine, cost=cost, policy=policy, repeat=repeat)
            runs.append(run)
    return runs
