"""What an operator's world does to a start: it serves the LLM nevertheless. Real servers."""

import os
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import click
import httpx
import pytest

from tests.servers import PROJECT, VLLM_ARGS, RunningServer, free_port, running
from tests.serving.settings.test_environment import injected_for
from tests.serving.test_middleware import ENTRY

NOBODY_LISTENS = {"MLFLOW_TRACKING_URI": "http://user:hunter2@127.0.0.1:9"}
NO_RANKER = {
    "ordering": "on",
    "source": "none",
    "ranker_version": None,
    "instant_tier": "missing",
    "registry": "unreachable",
}


def bentomls_extension() -> str:
    """What `pyproject.toml` says that BentoML's command line loads."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extension: str = project["entry-points"]["bentoml.commands"]["pars"]
    return extension


def test_bentoml_loads_a_command_of_ours() -> None:
    assert isinstance(EntryPoint("pars", bentomls_extension(), "bentoml.commands").load(), click.Command)


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder that every user may write; pytest's own are root's."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o1777)
    yield folder
    shutil.rmtree(folder)


def as_installed(folder: Path) -> str:
    """A PYTHONPATH on which the project is installed as `pip install` would."""
    about = folder / "pars_as_installed-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: pars-as-installed\nVersion: 1\n")
    (about / "entry_points.txt").write_text(f"[bentoml.commands]\npars = {bentomls_extension()}\n")
    return f"{PROJECT}:{folder}"


async def assert_serves(server: RunningServer, target_llm: str) -> None:
    async with server.client() as client:
        body = {"model": target_llm, "prompt": "one two", "max_tokens": 2}
        assert (await client.post("/v1/completions", json=body)).status_code == 200
        assert (await client.get("/ranking")).json()["target_llms"] == {target_llm: NO_RANKER}
        assert f'pars_ranker_source{{source="none",target_llm="{target_llm}"}} 1.0' in await page(client)
    said = server.log.read_text()
    assert f"Requests to {target_llm} are served first come, first served until it has a ranker" in said
    assert "Left out, since Kubernetes injects them for its Services: PARS_LLM_PORT, " in said
    assert "hunter2" not in said


async def page(client: httpx.AsyncClient) -> str:
    return (await client.get("/metrics")).text


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0 or shutil.which("setpriv") is None, reason="only root can become another user")
async def test_bento_serves_as_a_user_without_a_name_or_a_home_beside_kubernetes_services(
    tmp_path: Path, temporary: Path, demo_llm: Path
) -> None:
    port = free_port()
    settings = {
        **NOBODY_LISTENS,
        **injected_for("pars"),
        **injected_for("pars-llm"),
        "PARS_LLM": str(demo_llm),
        "PARS_TARGET_LLM": "nobody",
        "PARS_VLLM_ARGS": VLLM_ARGS,
        "PYTHONPATH": as_installed(tmp_path),
        "TMPDIR": str(temporary),
    }
    command = ["tests.nameless", "bentoml", "serve", "--port", str(port)]
    with running(command, port, settings, tmp_path / "log.txt") as started:
        await assert_serves(started, "nobody")
    assert not (PROJECT / "~").exists()


@pytest.mark.slow
async def test_plain_vllm_serves_beside_kubernetes_services_without_a_registry(tmp_path: Path, demo_llm: Path) -> None:
    port = free_port()
    command = f"{ENTRY} --model {demo_llm} --served-model-name nobody {VLLM_ARGS} --scheduling-policy priority"
    command += f" --middleware serving.middleware.ShortestFirst --port {port}"
    settings = {**NOBODY_LISTENS, **injected_for("pars-llm"), "PARS_TARGET_LLM": "nobody", "VLLM_NO_USAGE_STATS": "1"}
    with running(command.split(), port, settings, tmp_path / "log.txt") as started:
        await assert_serves(started, "nobody")
