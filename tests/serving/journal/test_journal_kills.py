"""What SIGKILL takes from the journal."""

import json
import subprocess
import sys
from pathlib import Path

from tests.servers import PROJECT, server_environment

KILLS = 20
OLDEST_LOST_S = 1.0


def test_no_row_that_is_older_than_a_second_is_lost_over_20_kills(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.serving.journal.killed_servers", str(tmp_path / "journal"), str(KILLS)]
    done = subprocess.run(command, cwd=PROJECT, env=server_environment({}), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["left"] == [], "what killed servers left is rolled"
    ages = found["servers"]
    assert len(ages) == KILLS
    assert sum(len(one["kept"]) for one in ages) > 1000
    lost = [age for one in ages for age in one["lost"]]
    assert all(age <= OLDEST_LOST_S for age in lost), max(lost)
