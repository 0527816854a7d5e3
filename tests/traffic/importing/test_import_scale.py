"""A log of any length is imported in the same memory."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import PROJECT
from tests.traffic.importing.three_targets import write_log
from tests.traffic.test_scale import WITHOUT_CACHE

MEASURE = """
import sys
from pathlib import Path
from traffic.importing.import_log import ImportConfig, import_log
told = import_log(ImportConfig(log=Path(sys.argv[1]), out=Path(sys.argv[2])))
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(told.rows, peak)
"""


def peak_memory(folder: Path, num_rows: int) -> int:
    log = write_log(folder / f"{num_rows}.jsonl", num_rows)
    command = [sys.executable, "-c", MEASURE, str(log), str(folder / str(num_rows))]
    told = subprocess.run(command, cwd=PROJECT, env=WITHOUT_CACHE, capture_output=True, text=True, check=True).stdout
    rows, peak = map(int, told.split())
    assert rows == num_rows
    return peak


@pytest.mark.slow
def test_more_rows_take_no_more_memory(tmp_path: Path) -> None:
    few, many = (peak_memory(tmp_path, num_rows) for num_rows in (70_000, 210_000))
    assert many / few < 1.2
