"""What a follower has found, what it says of it, and registries that give no answer."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow
import pytest
from prometheus_client import REGISTRY

from serving.champion import time_limits
from serving.champion.follower import ChampionFollower
from serving.champion.ranker_sources import SOURCES, Champion
from tests.conftest import tracking


@contextmanager
def unreachable(uri: str = "http://127.0.0.1:9") -> Iterator[None]:
    """A registry that nobody listens for."""
    with tracking(uri), pytest.MonkeyPatch.context() as patch:
        for name, value in time_limits.SOON.items():
            patch.setenv(name, value)
        yield


@contextmanager
def hanging() -> Iterator[str]:
    """Address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def reloads(outcome: str) -> float:
    """How often a look has ended so."""
    return REGISTRY.get_sample_value("pars_ranker_reloads_total", {"outcome": outcome}) or 0.0


def source_of(target_llm: str) -> list[str]:
    """Where the gauge says the ranker comes from."""
    labels = {source: {"target_llm": target_llm, "source": source} for source in SOURCES}
    return [one for one in SOURCES if REGISTRY.get_sample_value("pars_ranker_source", labels[one]) == 1]


def served(follower: ChampionFollower) -> Champion:
    """Its champion, which there must be."""
    assert follower.champion is not None
    return follower.champion


async def started(follower: ChampionFollower) -> Champion:
    """After a first look, and what there is without a champion."""
    await follower.look()
    await follower.stand_in(None)
    return served(follower)


def register_another_kind_of_model(folder: Path) -> None:
    """As version 4, with 2 MB of its own."""
    data = folder / "weights"
    data.mkdir()
    (data / "weights.bin").write_bytes(b"x" * 2_000_000)
    with mlflow.start_run():
        info = mlflow.pyfunc.log_model(name="other", loader_module="registry.pyfunc", data_path=str(data))
    mlflow.register_model(info.model_uri, "pars-demo-llm")
