"""A made-up log of some days: a daily rhythm, quiet nights, and one peak of a few minutes.

python -m tests.benchmarks.what_if.busy_days FOLDER --rows 2000000
"""

from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

DAY_S = 86_400
WORDS = np.array(
    ["write", "explain", "list", "compare", "translate", "the", "a", "of", "poem", "table", "code", "river"]
)


@dataclass(frozen=True, kw_only=True)
class BusyDays:
    """Traffic in which one stretch is far busier than all others."""

    rows: int = 2_000_000
    days: int = 8
    peak_s: float = 4.4 * DAY_S
    """When the peak begins: on day five."""
    peak_minutes: float = 4.0
    peak_share: float = 0.01
    """Of all requests, those that come in the peak beside what the rhythm brings anyway."""
    seed: int = 0

    def frame(self) -> pd.DataFrame:
        """`arrival_s, prompt_tokens, output_tokens`, sorted by arrival."""
        rng = np.random.default_rng(self.seed)
        peak = rng.uniform(0, 60 * self.peak_minutes, round(self.peak_share * self.rows)) + self.peak_s
        arrival_s = np.sort(np.concatenate([self._rhythm(rng, self.rows - len(peak)), peak]))
        return pd.DataFrame(
            {
                "arrival_s": arrival_s.round(3),
                "prompt_tokens": np.maximum(1, rng.lognormal(5, 1, self.rows)).astype(int),
                "output_tokens": np.maximum(1, rng.lognormal(4.3, 1, self.rows)).astype(int),
            }
        )

    def _rhythm(self, rng: np.random.Generator, rows: int) -> npt.NDArray[np.float64]:
        """Times of a day that is ten times as busy at noon as at midnight, drawn minute by minute."""
        starts_s = np.arange(0, self.days * DAY_S, 60)
        busy = 1.1 - np.cos(2 * np.pi * starts_s / DAY_S)
        return np.asarray(rng.choice(starts_s, rows, p=busy / busy.sum()) + rng.uniform(0, 60, rows))


def with_prompts(frame: pd.DataFrame, seed: int = 0, words: int = 40) -> pd.DataFrame:
    """The same with a text a row, the longer the longer its answer is."""
    rng = np.random.default_rng(seed)
    texts = [" ".join(rng.choice(WORDS, words)) for _ in range(200)]
    chosen = rng.integers(0, len(texts), len(frame)).tolist()
    asks = np.ceil(np.log2(frame.output_tokens + 1)).astype(int).tolist()
    prompts = [
        "more " * ask + texts[one] + f" {place}" for place, (ask, one) in enumerate(zip(asks, chosen, strict=True))
    ]
    return frame.assign(prompt=prompts)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the log as parquet and as JSON Lines, without and with prompts."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=BusyDays.rows)
    given = parser.parse_args(arguments)
    frame = BusyDays(rows=given.rows).frame()
    for name, one in (("tokens", frame), ("prompts", with_prompts(frame))):
        one.to_parquet(given.folder / f"{name}.parquet", index=False)
        one.to_json(given.folder / f"{name}.jsonl", orient="records", lines=True)


if __name__ == "__main__":
    main()
