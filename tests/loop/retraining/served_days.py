"""A made-up journal: requests of a dozen kinds whose answers have lengths of their own, until the LLM changes."""

from pathlib import Path

import numpy as np
import pandas as pd

TARGET_LLM = "made-up-llm"
NOON_S = 1_795_780_800.0
"""2026-11-27T12:00 UTC."""
DAY_S = 86_400.0
KINDS = ("define", "compare", "translate", "story", "poem", "recipe", "list", "proof", "joke", "letter", "plan", "code")
TOKENS = np.geomspace(4, 1500, len(KINDS))
CHANGED = TOKENS[[7, 1, 9, 3, 11, 5, 0, 4, 8, 2, 10, 6]]
"""Of the same kinds after the LLM was replaced by one with other habits."""
SUBJECTS = ("apples", "bridges", "clocks", "doors", "empires", "foxes", "glaciers", "horses", "onions", "trains")


def served(
    tokens: np.ndarray, num_requests: int, from_s: float, to_s: float, seed: int, version: int | None = None
) -> pd.DataFrame:
    """Requests at even distances, each answered at the length of its kind, give or take a tenth.

    With a `version` they were placed by it, which knows the usual lengths.
    """
    rng = np.random.default_rng(seed)
    kinds = rng.integers(len(KINDS), size=num_requests)
    noise = np.exp(0.1 * rng.standard_normal(num_requests))
    return pd.DataFrame(
        {
            "request_id": [f"{seed}-{number}" for number in range(num_requests)],
            "arrival_s": np.linspace(from_s, to_s, num_requests),
            "model": TARGET_LLM,
            "prompt": [f"{KINDS[kind]} {SUBJECTS[rng.integers(len(SUBJECTS))]} {rng.integers(1000)}" for kind in kinds],
            "output_tokens": np.maximum(1, np.rint(tokens[kinds] * noise)).astype(int),
            "ending": "ended",
            "predicted_tokens": TOKENS[kinds] if version else np.nan,
            "placed_by": "encoder" if version else None,
            "ranker_version": f"models:/pars-{TARGET_LLM}/{version}" if version else None,
        }
    )


def write_journal(folder: Path, *stretches: pd.DataFrame) -> Path:
    """A folder of parquet, as a server leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    for stretch in stretches:
        name = f"{stretch['request_id'].iloc[0]}-{stretch['request_id'].iloc[-1]}.parquet"
        stretch.to_parquet(folder / name)
    return folder
