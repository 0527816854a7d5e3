"""A user without a name, a home or a folder to write in: commands work, or say in one sentence what is missing."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow
import pytest

from registry import store
from tests.conftest import tracking
from tests.rankers import write_ranker
from tests.servers import PROJECT

NOBODY = 12345
RIGHTS = "-all,+dac_read_search"
"""To read everything, as the interpreter may lie in a home of root, and to write nothing but what all may."""


@pytest.fixture
def folder(empty_database: Path) -> Iterator[Path]:
    """A folder that anyone may write, with a registry in it."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("only root can become another user, by setpriv")
    with TemporaryDirectory() as made:  # not pytest's: another user could not enter it
        shutil.copy(empty_database, Path(made) / "mlflow.db")
        with tracking(f"sqlite:///{made}/mlflow.db"):
            mlflow.set_experiment(experiment_id=mlflow.create_experiment("nobody", f"file://{made}/artifacts"))
            with mlflow.start_run():
                store.register(write_ranker(Path(made) / "ranker"))
        subprocess.run(["chmod", "-R", "a+rwX", made], check=True)
        yield Path(made)


def as_nobody(folder: Path, *command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run it as a user whom nobody knows, in a working folder that cannot be written."""
    user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    user += [f"--{kind}={RIGHTS}" for kind in ("inh-caps", "ambient-caps", "bounding-set")]
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    settings = {"PATH": path, "TMPDIR": str(folder), "PYTHONPATH": str(PROJECT), **environment}
    return subprocess.run([*user, *command], env=settings, cwd="/proc", capture_output=True, text=True, check=False)


PROMOTE = (sys.executable, "-m", "registry", "promote", "--target-llm", "demo-llm")


def test_a_command_works_for_a_user_without_a_name_a_home_or_a_folder(folder: Path) -> None:
    settings = {"MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db", "MLFLOW_EXPERIMENT_NAME": "nobody"}
    done = as_nobody(folder, *PROMOTE, **settings)
    assert "version 1 is the champion" in done.stdout, done.stderr


def test_without_a_place_for_a_database_a_command_says_so(folder: Path) -> None:
    done = as_nobody(folder, *PROMOTE)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "cannot be opened for writing by this user; set MLFLOW_TRACKING_URI" in done.stderr.splitlines()[-1]


@pytest.mark.slow
def test_mlflow_run_works_for_such_a_user_once_it_has_a_home_and_a_name(folder: Path) -> None:
    words = ["run", str(PROJECT), "--env-manager", "local", "-e", "promote", "-P", "target_llm=demo-llm"]
    settings = {"HOME": str(folder), "LOGNAME": "pars", "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}
    settings |= {"MLFLOW_EXPERIMENT_NAME": "nobody"}
    done = as_nobody(folder, sys.executable, "-m", "mlflow", *words, **settings)
    assert "version 1 is the champion" in done.stdout, done.stderr
