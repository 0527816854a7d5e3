"""What stands on the metrics page of several processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from serving.metrics import forget_dead_processes


def test_what_a_process_said_of_itself_leaves_the_page_with_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for kind in ("gauge_livesum", "gauge_livemostrecent", "counter"):
        for process in (gone.pid, os.getpid()):
            (tmp_path / f"{kind}_{process}.db").touch()
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    forget_dead_processes()
    left = {path.name for path in tmp_path.iterdir()}
    here = {f"{kind}_{os.getpid()}.db" for kind in ("gauge_livesum", "gauge_livemostrecent", "counter")}
    assert left == here | {f"counter_{gone.pid}.db"}, "what it has counted remains"


def test_without_several_processes_there_is_nothing_to_forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    forget_dead_processes()
