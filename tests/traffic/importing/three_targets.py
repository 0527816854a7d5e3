"""A made-up log of three target LLMs in turn, of any number of rows, written as it is made.

python -m tests.traffic.importing.three_targets FILE.jsonl --rows 5000000
"""

import json
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

TARGETS = ("large", "medium", "small")
WORDS = np.array(["write", "explain", "list", "the", "a", "of", "poem", "table", "code", "river", "please", "why"])
TURN = 10_000
"""Rows that are drawn at once."""


def rows(count: int, words: int = 30, seed: int = 0) -> Iterator[dict[str, object]]:
    """Requests with distinct prompts, whose answers are the longer the more their prompts ask for."""
    rng = np.random.default_rng(seed)
    for start in range(0, count, TURN):
        texts = rng.choice(WORDS, (TURN, words))
        asks = rng.integers(0, 8, TURN)
        tokens = np.maximum(1, rng.lognormal(3 + asks / 4, 0.5)).astype(int)
        for place in range(min(TURN, count - start)):
            number = start + place
            yield {
                "prompt": "more " * int(asks[place]) + " ".join(texts[place]) + f" {number}",
                "model": TARGETS[number % len(TARGETS)],
                "output_tokens": int(tokens[place]),
                "finish_reason": "length" if tokens[place] > 200 else "stop",
                "arrival_s": number / 10,
                "max_tokens": 1000,
            }


def write_log(path: Path, count: int) -> Path:
    """Write it as JSON Lines."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows(count))
    return path


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the log."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--rows", type=int, default=5_000_000)
    chosen = parser.parse_args(arguments)
    write_log(chosen.file, chosen.rows)


if __name__ == "__main__":
    main()
