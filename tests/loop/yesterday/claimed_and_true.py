"""What a look at yesterday claims of first come, first served, beside what that really was on the same engine.

VLLM_CPU_KVCACHE_SPACE=1 python -m tests.loop.yesterday.claimed_and_true [--rounds 4]

A server with a journal answers the same bursts in its own order and first come, first served, in turn. Of the journal
only the former are kept: from these a day is made up again first come, first served, and held against the latter.
"""

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

import mlflow
import numpy as np

from benchmarks.arrivals import ArrivalProcess
from benchmarks.cost.bursts import send
from benchmarks.cost.measure_engine import EngineMeasurementConfig, measure
from benchmarks.cost.measured_sweep import MeasuredSweep
from benchmarks.cost.step_cost_fit import fit_step_cost
from benchmarks.demo.demo_llm import write_demo_llm
from benchmarks.endpoint.endpoint import Endpoint, connect
from benchmarks.endpoint.live_server import serve
from benchmarks.endpoint.plan import plan_requests
from benchmarks.endpoint.priorities import fcfs, pars
from benchmarks.replay.own_server import server_settings
from benchmarks.simulation.engine.run import simulate_all
from loop.yesterday.config import YesterdayConfig
from loop.yesterday.journal_batches import journal_batches
from loop.yesterday.verdict import Verdict
from loop.yesterday.yesterday import judge_day
from registry import store
from serving.journal.journal_columns import JOURNAL
from serving.work.step_cost import StepCost
from tests.conftest import tracking
from tests.rankers import write_ranker

TARGET_LLM = "looked-back-at"
LAYERS = 12
"""Enough for the engine to be what takes the time."""
SEQUENCES = 8
VLLM_ARGS = (
    f"--dtype float32 --enforce-eager --max-model-len 320 --max-num-seqs {SEQUENCES} --max-num-batched-tokens 2048"
)
REQUESTS = 120
PATIENCE_S = 120.0
BURST = ArrivalProcess(kind="burst")
SERVER_LOG = Path(gettempdir()) / "claimed_and_true.log"
"""Not in the folder of all else, which is gone when the server does not start."""
Rows = list[dict[str, Any]]


def bursts(endpoint: Endpoint, rounds: int) -> list[tuple[str, float, float]]:
    """Send them; which order each had, and from when to when it took, in seconds since 1970."""
    rng = np.random.default_rng(0)
    asks = rng.integers(5, 48, REQUESTS).tolist()
    prompts = [f"{number} {'more ' * count}" for number, count in enumerate(asks)]
    tokens = [int(np.ceil(np.exp(count / 10) * rng.uniform(0.7, 1.4))) for count in asks]
    found = []
    for number in range(rounds):
        plan = plan_requests(prompts, tokens, BURST, number // 2, is_reversed=number % 2 == 1)
        for name, order in (("fcfs", fcfs), ("pars", pars)):
            began_s = time.time()
            send(endpoint, plan, order, f"{name}, round {number + 1} of {rounds}")
            found.append((name, began_s, time.time()))
    return found


def rows_of(journal: Path, spans: Sequence[tuple[str, float, float]], order: str) -> Rows:
    """What the journal has of the bursts in this order."""
    rows = (row for batch in journal_batches(journal, JOURNAL.names) for row in batch.to_pylist())
    its = [(began_s, ended_s) for name, began_s, ended_s in spans if name == order]
    return [row for row in rows if any(began_s <= row["arrival_s"] <= ended_s for began_s, ended_s in its)]


def s_per_token(rows: Rows) -> float:
    """Their mean, as the journal measured it."""
    return float(np.mean([row["end_to_end_s"] / row["output_tokens"] for row in rows]))


def looked_back_at(folder: Path, rows: Rows, cost: StepCost) -> Verdict:
    """What is claimed, by a journal of these rows alone."""
    folder.mkdir()
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    day = str(datetime.fromtimestamp(rows[0]["arrival_s"], UTC).date())
    config = YesterdayConfig(
        target_llm=TARGET_LLM, journal=folder, day=day, max_num_seqs=SEQUENCES, max_num_batched_tokens=2048
    )
    return judge_day(config, cost, simulate_all, time.time())


def asked(folder: Path, rounds: int) -> tuple[list[tuple[str, float, float]], StepCost]:
    """Start a server with a journal and a ranker that counts words, measure its steps, and send the bursts."""
    experiment = mlflow.create_experiment("rankers", (folder / "artifacts").as_uri())
    with mlflow.start_run(experiment_id=experiment):
        store.register(write_ranker(folder / "ranker", TARGET_LLM, 0.0, {"more": 1.0}, instant_weight=1.0))
    store.promote(TARGET_LLM, 1)
    settings = server_settings(TARGET_LLM, str(write_demo_llm(folder / "llm", LAYERS)), VLLM_ARGS, PATIENCE_S)
    settings |= {"PARS_JOURNAL": "keyed", "PARS_JOURNAL_DIR": str(folder / "journal")}
    calibration = EngineMeasurementConfig(
        target_llm=TARGET_LLM, max_num_seqs=SEQUENCES, max_num_batched_tokens=2048, max_model_len=320, repeats=1
    )
    with serve(settings, SERVER_LOG) as url:
        endpoint = connect(url)
        measured, ranking = measure(calibration, endpoint)
        spans = bursts(endpoint, rounds)
    return spans, fit_step_cost(MeasuredSweep(measured, calibration.engine), ranking, "this machine")


def main() -> None:
    """Print the claim, the truth and how far they are apart."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    rounds = parser.parse_args().rounds
    with TemporaryDirectory() as home, tracking(f"sqlite:///{home}/mlflow.db"):
        spans, cost = asked(Path(home), rounds)
        served, first_come = (rows_of(Path(home) / "journal", spans, order) for order in ("pars", "fcfs"))
        found = looked_back_at(Path(home) / "kept", served, cost)
    line, true = found.line, s_per_token(first_come) / s_per_token(served)
    sys.stdout.write(
        "\n".join(found.sentences()) + f"\nFCFS ÷ served: claimed {line.fcfs_ratio:.2f} ({line.fcfs_ratio_low:.2f} to"
        f" {line.fcfs_ratio_high:.2f}), really {true:.2f} ({len(first_come)} and {len(served)} answers); claimed ÷ true"
        f" {line.fcfs_ratio / true:.3f}\n"
    )


if __name__ == "__main__":
    main()
