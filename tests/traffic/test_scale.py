"""A log of any length is described in the same memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.servers import PROJECT

MEASURE = """
import sys
from pathlib import Path
from traffic.describe import DescribeConfig, describe_log
found = describe_log(DescribeConfig(log=Path(sys.argv[1])))
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(found.labelled, peak)
"""


WITHOUT_CACHE = os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system"}
"""Arrow's usual allocator keeps some 40 MB of what was freed, once there were that many: 50,000 rows are too few."""


def write(path: Path, num_rows: int) -> Path:
    rows = [{"prompt": f"Explain topic {n} at length", "output_tokens": n % 997 + 1} for n in range(num_rows)]
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows))
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def peak_memory(path: Path, num_rows: int) -> int:
    command = [sys.executable, "-c", MEASURE, str(write(path, num_rows))]
    told = subprocess.run(command, cwd=PROJECT, env=WITHOUT_CACHE, capture_output=True, text=True, check=True).stdout
    labelled, peak = map(int, told.split())
    assert labelled == num_rows
    return peak


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["parquet", "jsonl", "json"])
def test_ten_times_the_rows_take_no_more_memory(tmp_path: Path, suffix: str) -> None:
    few, many = (peak_memory(tmp_path / f"log.{suffix}", num_rows) for num_rows in (50_000, 500_000))
    assert many / few < 1.2
