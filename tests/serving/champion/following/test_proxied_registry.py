"""A real `mlflow server` that hands out artifacts itself: swaps, refusals, a hang, and what they leave behind."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest

from registry import store
from serving.champion import time_limits
from serving.champion.follower import ChampionFollower
from serving.champion.ordering_switch import OrderingSwitch
from serving.champion.ranker_copies import LAST, LOCK, RankerCopies
from tests.conftest import tracking
from tests.mlflow_server import MlflowServer
from tests.rankers import write_ranker
from tests.serving.champion.following.looks import register_another_kind_of_model, reloads, served

pytestmark = pytest.mark.slow


@pytest.fixture
def mlflow_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MlflowServer]:
    monkeypatch.chdir(tmp_path)
    server = MlflowServer(tmp_path)
    server.start()
    try:
        server.wait()
        with tracking(server.uri):
            mlflow.set_experiment("Default")
            yield server
    finally:
        server.stop()


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of whoever follows; the server has its own."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


async def test_champions_come_through_the_server_and_nothing_is_left(
    mlflow_server: MlflowServer, tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for weight in (1.0, -1.0):
        with mlflow.start_run():
            store.register(write_ranker(tmp_path / f"weight{weight}", weight=weight))
    register_another_kind_of_model(tmp_path)
    cache = RankerCopies(tmp_path / "cache")
    follower = ChampionFollower("demo-llm", 5, cache, OrderingSwitch(["demo-llm"]))
    for name, value in time_limits.SOON.items():
        monkeypatch.setenv(name, value)
    left = set(elsewhere.iterdir())
    refused, unreachable = reloads("refused"), reloads("unreachable")
    for version, now in ((1, 1), (2, 2), (3, 2), (3, 2), (1, 1)):
        mlflow.MlflowClient().set_registered_model_alias("pars-demo-llm", "champion", str(version))
        await follower.look()
        assert served(follower).version == now
    assert (reloads("refused"), reloads("unreachable")) == (refused + 1, unreachable)

    assert mlflow_server.process is not None
    group = os.getpgid(mlflow_server.process.pid)
    os.killpg(group, signal.SIGSTOP)  # it takes connections and never answers
    started_s = time.monotonic()
    await follower.look()
    assert time.monotonic() - started_s < 15 - 5, "with the 5 s between two looks"
    assert reloads("unreachable") == unreachable + 1
    os.killpg(group, signal.SIGCONT)
    await follower.look()
    assert follower.finding == "champion"

    assert set(elsewhere.iterdir()) == left
    assert len({path.name for path in (cache.folder / "pars-demo-llm").iterdir()} - {LAST, LOCK}) == 1
