"""Followers of a registry whose aliases may be moved."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest

from serving.champion.follower import ChampionFollower
from serving.champion.ordering_switch import OrderingSwitch
from serving.champion.ranker_copies import RankerCopies
from tests.conftest import tracking


@pytest.fixture
def champions(ranker_store: str, tmp_path: Path) -> Iterator[str]:
    """A copy of the registry whose aliases may be moved."""
    copy = tmp_path / "mlflow.db"
    shutil.copyfile(ranker_store.removeprefix("sqlite:///"), copy)
    with tracking(f"sqlite:///{copy}"):
        yield mlflow.get_tracking_uri()


@pytest.fixture
def cache(tmp_path: Path) -> RankerCopies:
    return RankerCopies(tmp_path / "rankers")


@pytest.fixture
def switch() -> OrderingSwitch:
    return OrderingSwitch(["demo-llm", "nobody"])


@pytest.fixture
def follower(champions: str, cache: RankerCopies, switch: OrderingSwitch) -> ChampionFollower:
    return ChampionFollower("demo-llm", 1, cache, switch)
