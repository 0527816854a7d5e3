"""Length logs that tests write and read."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from traffic.length_log import LengthLog, LengthLogSource, read_length_log

Rows = list[dict[str, Any]]

GOOD: Rows = [{"prompt": f"prompt {number}", "output_tokens": number + 1} for number in range(5)]


def write(path: Path, rows: Rows) -> Path:
    if path.suffix == ".parquet":
        pd.DataFrame(rows).to_parquet(path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def read(path: Path, rows: Rows, **choice: Any) -> LengthLog:
    return read_length_log(LengthLogSource(lengths=write(path, rows), **choice))


def labels(log: LengthLog) -> dict[str, float]:
    return dict(zip(log.prompts, log.output_tokens.tolist(), strict=True))
