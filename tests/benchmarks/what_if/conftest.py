"""A log, and a simulator that is a few servers and a queue."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.simulation.engine.run import Run
from serving.work.step_cost import StepCost
from tests.benchmarks.queueing import S_PER_TOKEN, waits_s

SERVERS = 8
COST = StepCost(fixed_s=0.02, per_token_s=0.0, per_sequence_s=0.0, measured_on="a queue before eight servers")
"""What is said of those servers; the stand-in has costs of its own."""


def simulate(runs: Sequence[Run]) -> list[pd.DataFrame]:
    """A stand-in for vLLM's scheduler under a virtual clock."""
    return [_answers(run) for run in runs]


def _answers(run: Run) -> pd.DataFrame:
    traffic, order = run.traffic, run.order
    quantiles = np.zeros(len(traffic)) if order.best is None else order.best
    key = traffic.arrival_s + order.patience_s * quantiles
    wait_s = waits_s(traffic.arrival_s, traffic.output_tokens, key, run.engine.max_num_seqs)
    rows = {"request": traffic.request_numbers, "sent_s": traffic.arrival_s, "prompt_tokens": traffic.prompt_tokens}
    rows |= {"output_tokens": traffic.output_tokens}
    rows |= {"ttft_s": wait_s, "e2e_s": wait_s + traffic.output_tokens * S_PER_TOKEN}
    return pd.DataFrame(rows).assign(policy=run.policy, repeat=0, load=run.load)


def served_rows(requests: int, load: float) -> list[dict[str, object]]:
    """Traffic for those servers; a prompt's first word says how long its answer is."""
    rng = np.random.default_rng(3)
    tokens = np.maximum(1, rng.lognormal(4, 1, requests)).astype(int)
    gap_s = tokens.mean() * S_PER_TOKEN / SERVERS / load
    arrival_s = np.cumsum(rng.exponential(gap_s, requests))
    return [
        {"arrival_s": float(at), "prompt": "more " * (1 + int(np.log(count) * 5)), "output_tokens": int(count)}
        for at, count in zip(arrival_s, tokens, strict=True)
    ]


@pytest.fixture
def busy_log(tmp_path: Path) -> Path:
    return write_log(tmp_path / "busy.jsonl", served_rows(600, load=1.3))


@pytest.fixture
def idle_log(tmp_path: Path) -> Path:
    return write_log(tmp_path / "idle.jsonl", served_rows(400, load=0.1))


def write_log(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path
