"""A made-up day in a journal: a few servers and a queue, in the order of known places.

python -m tests.loop.yesterday.served_days FOLDER --rows 600 --load 1.3
"""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
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
FILE_ROWS = 50_000
Columns = dict[str, npt.NDArray[Any]]


def served_columns(requests: int, load: float) -> Columns:
    """A day that was served by the true lengths, as far as the patience lets them, and timed."""
    rng = np.random.default_rng(3)
    tokens = np.maximum(1, rng.lognormal(4, 1, requests)).astype(int)
    gap_s = tokens.mean() * S_PER_TOKEN / SERVERS / load
    arrival_s = np.cumsum(rng.exponential(gap_s, requests))
    quantile = places(tokens)
    ttft_s = waits_s(arrival_s, tokens, arrival_s + PATIENCE_S * quantile, SERVERS)
    return {
        "arrival_s": START_S + 3600 + arrival_s,
        "prompt_tokens": np.full(requests, 9),
        "output_tokens": tokens,
        "quantile": quantile,
        "time_to_first_token_s": ttft_s,
        "end_to_end_s": ttft_s + tokens * S_PER_TOKEN,
        "held_s": ttft_s - S_PER_TOKEN,
        "waiting_s": np.zeros(requests),
    }


def served_rows(requests: int = 600, load: float = 1.3, **changes: Any) -> list[dict[str, Any]]:
    """The same as rows of the journal."""
    columns = {name: values.tolist() for name, values in served_columns(requests, load).items()}
    words = {"model": "demo-llm", "ending": "ended", "placed_by": "instant"} | changes
    rows = (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))
    return [{"request_id": f"r{number}", **row, **words} for number, row in enumerate(rows)]


def fcfs_over_served(columns: Columns) -> float:
    """What the same queue takes first come, first served, per token, as a multiple of what was."""
    came_s, tokens = columns["arrival_s"] - columns["arrival_s"][0], columns["output_tokens"]
    fcfs_s = waits_s(came_s, tokens, came_s, SERVERS) + tokens * S_PER_TOKEN
    return float((fcfs_s / tokens).mean() / (columns["end_to_end_s"] / tokens).mean())


def write_journal(folder: Path, rows: Sequence[dict[str, Any]], name: str = "20260922T000000Z-000000-1-a") -> Path:
    """A file of the journal, in its folder."""
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows), JOURNAL), folder / f"{name}.parquet")
    return folder


def write_long_journal(folder: Path, columns: Columns) -> None:
    """Many files of it, however long the day is."""
    folder.mkdir(parents=True)
    for start in range(0, len(columns["quantile"]), FILE_ROWS):
        some = {name: pa.array(values[start : start + FILE_ROWS]) for name, values in columns.items()}
        size = len(some["quantile"])
        some |= {name: pa.repeat(word, size) for name, word in (("model", "demo-llm"), ("placed_by", "instant"))}
        some["ending"] = pa.repeat("ended", size)
        table = pa.table(
            [some[one.name].cast(one.type) if one.name in some else pa.nulls(size, one.type) for one in JOURNAL],
            JOURNAL,
        )
        pq.write_table(table, folder / f"20260922T000000Z-{start:09}-1-a.parquet", compression="zstd")


def main() -> None:
    """Write the journal, and what a step of such servers costs."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=600)
    parser.add_argument("--load", type=float, default=1.3)
    given = parser.parse_args()
    columns = served_columns(given.rows, given.load)
    write_long_journal(given.folder / "journal", columns)
    cost = {"fixed_s": S_PER_TOKEN, "per_token_s": 0.0, "per_sequence_s": 0.0, "instant_s": 0.0}
    (given.folder / "step_cost.json").write_text(json.dumps(cost))
    sys.stdout.write(f"first come, first served ÷ as served: {fcfs_over_served(columns):.3f} s per token\n")


if __name__ == "__main__":
    main()
