"""How much of the journal is kept: what is too old or too much goes, the oldest files first."""

import time
from calendar import timegm
from pathlib import Path

from serving.journal.files.segment import STAMP
from traffic.files.log_files import GROWING_SUFFIX

STAMP_CHARACTERS = 16
DAY_S = 86_400.0


def sweep(folder: Path, max_bytes: int, max_days: float, now_s: float) -> int:
    """Remove what exceeds the limits, but no file that is appended to; how many bytes are left.

    A file is as old as its first row: no row is kept for longer.
    """
    files = sorted(folder.glob("*.parquet"))
    sizes = {path: path.stat().st_size for path in files}
    total = sum(sizes.values()) + sum(path.stat().st_size for path in folder.glob(f"*{GROWING_SUFFIX}"))
    for path in files:
        if total <= max_bytes and _begun_s(path) >= now_s - max_days * DAY_S:
            break
        path.unlink(missing_ok=True)
        total -= sizes[path]
    return total


def _begun_s(path: Path) -> float:
    try:
        return timegm(time.strptime(path.name[:STAMP_CHARACTERS], STAMP))
    except ValueError:  # somebody's own file
        return path.stat().st_mtime
