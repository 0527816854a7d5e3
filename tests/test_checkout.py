"""The check at the end of the session sees what a test leaves behind."""

import subprocess
import sys
from pathlib import Path

import mlflow
import pytest

from tests.checkout import files
from tests.servers import PROJECT


def test_caches_are_no_files_of_the_checkout_and_everything_else_is(tmp_path: Path) -> None:
    for name in ("a.py", "mlruns/0/x", ".pytest_cache/v", "b/__pycache__/a.pyc", "pars.egg-info/x", ".git/index"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert files(tmp_path) == {Path("a.py"), Path("mlruns/0/x")}


def test_what_a_process_stores_without_an_address_lies_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_EXPERIMENT_ID", raising=False)  # other tests leave theirs there
    program = "import mlflow\nwith mlflow.start_run(): mlflow.log_text('x', 'x.txt'); print(mlflow.get_artifact_uri())"
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    for address in (done.stdout, mlflow.get_tracking_uri()):
        assert str(PROJECT) not in address
