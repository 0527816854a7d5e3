"""A log, and a simulator that is a few servers and a queue."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.what_if.study import Case
from tests.benchmarks.queueing import S_PER_TOKEN, waits_s

SERVERS = 8


def simulate(cases: Sequence[Case]) -> list[pd.DataFrame]:
    """A stand-in for vLLM's scheduler under a virtual clock."""
    return [_answers(case) for case in cases]


def _answers(case: Case) -> pd.DataFrame:
    quantiles = np.zeros(len(case.arrival_s)) if case.quantiles is None else case.quantiles
    key = case.arrival_s + case.patience_s * quantiles
    wait_s = waits_s(case.arrival_s, case.output_tokens, key, case.max_num_seqs)
    rows = {"sent_s": case.arrival_s, "prompt_tokens": case.prompt_tokens, "output_tokens": case.output_tokens}
    rows |= {"ttft_s": wait_s, "e2e_s": wait_s + case.output_tokens * S_PER_TOKEN}
    return pd.DataFrame(rows).assign(repeat=0)


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
