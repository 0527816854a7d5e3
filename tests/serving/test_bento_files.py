"""A bento holds every file that its service imports: in an image there is no checkout beside it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.servers import PROJECT

ALONE = "import sys; sys.meta_path[:] = [one for one in sys.meta_path if 'editable' not in repr(one)]; "
"""Python's own search, without the one that leads an installed package back to the checkout."""
ROLLBACK = "import runpy; sys.argv = ['pars', 'rollback', '--help']; runpy.run_module('registry', run_name='__main__')"


@pytest.fixture(scope="module", params=["bentofile.yaml", "bentofile.cpu.yaml"])
def bento(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the files that are included."""
    folder = tmp_path_factory.mktemp("bento")
    for pattern in yaml.safe_load((PROJECT / request.param).read_text())["include"]:
        for file in PROJECT.glob(pattern):
            target = folder / file.relative_to(PROJECT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
    return folder


@pytest.mark.parametrize(
    "program", ["import serving.service, serving.hosts.server", ROLLBACK], ids=["serve", "rollback"]
)
def test_code_runs_without_a_checkout(bento: Path, program: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ALONE + program],
        cwd=bento,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
