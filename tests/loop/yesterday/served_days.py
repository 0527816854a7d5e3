"""A made-up day in a journal: a few servers and a queue, in the order of known places."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.policies.places import places
from serving.journal.journal_columns import JOURNAL
from tests.benchmarks.queueing import S_PER_TOKEN, waits_s
from tests.benchmarks.what_if.conftest import SERVERS

DAY_S = 86_400
START_S = 1_790_035_200.0
"""The midnight, in UTC, at which 2026-09-22 begins."""
DAY = "2026-09-22"
PATIENCE_S = 120.0


def served_rows(requests: int = 600, load: float = 1.3, **changes: Any) -> list[dict[str, Any]]:
    """Rows of a day that was served by the true lengths, as far as the patience lets them, and timed."""
    rng = np.random.default_rng(3)
    tokens = np.maximum(1, rng.lognormal(4, 1, requests)).astype(int)
    arrival_s = np.cumsum(rng.exponential(tokens.mean() * S_PER_TOKEN / SERVERS / load, requests))
    quantile = places(tokens)
    ttft_s = waits_s(arrival_s, tokens, arrival_s + PATIENCE_S * quantile, SERVERS)
    columns = zip(arrival_s.tolist(), tokens.tolist(), quantile.tolist(), ttft_s.tolist(), strict=True)
    return [
        {
            "request_id": f"r{number}",
            "arrival_s": START_S + 3600 + at,
            "model": "demo-llm",
            "prompt_tokens": 9,
            "output_tokens": count,
            "ending": "ended",
            "quantile": place,
            "placed_by": "instant",
            "time_to_first_token_s": first,
            "end_to_end_s": first + count * S_PER_TOKEN,
            "held_s": first - S_PER_TOKEN,
            "waiting_s": 0.0,
            **changes,
        }
        for number, (at, count, place, first) in enumerate(columns)
    ]


def fcfs_over_served(rows: Sequence[dict[str, Any]]) -> float:
    """What the same queue takes first come, first served, per token, as a multiple of what was."""
    arrival_s, tokens, e2e_s = (
        np.array([row[name] for row in rows]) for name in ("arrival_s", "output_tokens", "end_to_end_s")
    )
    came_s = arrival_s - arrival_s[0]
    fcfs_s = waits_s(came_s, tokens, came_s, SERVERS) + tokens * S_PER_TOKEN
    return float((fcfs_s / tokens).mean() / (e2e_s / tokens).mean())


def write_journal(folder: Path, rows: Sequence[dict[str, Any]], name: str = "20260922T000000Z-000000-1-a") -> Path:
    """A file of the journal, in its folder."""
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows), JOURNAL), folder / f"{name}.parquet")
    return folder
