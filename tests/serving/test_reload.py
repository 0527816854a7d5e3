"""The champion's alias is followed; a version that cannot be served is refused."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from prometheus_client import REGISTRY

from registry import store
from serving.reload import ChampionFollower, NoChampion, find_champion
from tests.conftest import tracking


@pytest.fixture
def champions(ranker_store: str, tmp_path: Path) -> Iterator[str]:
    """A copy of the registry whose aliases may be moved."""
    copy = tmp_path / "mlflow.db"
    shutil.copyfile(ranker_store.removeprefix("sqlite:///"), copy)
    with tracking(f"sqlite:///{copy}"):
        yield mlflow.get_tracking_uri()


def reloads(outcome: str) -> float:
    return REGISTRY.get_sample_value("pars_ranker_reloads_total", {"outcome": outcome}) or 0.0


def test_champion_is_followed_when_the_alias_moves(champions: str) -> None:
    follower = ChampionFollower("demo-llm", poll_s=1)
    first = follower.champion
    assert first.version == 1
    follower.look()
    assert follower.champion is first
    store.promote("demo-llm", 2)
    follower.look()
    assert follower.champion.version == 2
    assert first.ranker.predict("one two").score == 2, "a request that holds the old one can still use it"
    assert follower.champion.ranker.predict("one two").score == -2
    assert REGISTRY.get_sample_value("pars_ranker_version", {"target_llm": "demo-llm"}) == 2
    store.rollback("demo-llm")
    follower.look()
    assert follower.champion.version == 1


def test_version_that_does_not_load_is_refused_once_and_the_old_one_keeps_serving(
    champions: str, caplog: pytest.LogCaptureFixture
) -> None:
    follower, before = ChampionFollower("demo-llm", poll_s=1), reloads("refused")
    store.promote("demo-llm", 3)
    follower.look()
    follower.look()
    assert follower.champion.version == 1
    assert reloads("refused") == before + 1
    assert "Version 3 is refused, version 1 keeps serving" in caplog.text
    store.promote("demo-llm", 2)
    follower.look()
    assert follower.champion.version == 2


def test_registry_that_goes_away_changes_nothing_but_a_metric(champions: str, caplog: pytest.LogCaptureFixture) -> None:
    follower, before = ChampionFollower("demo-llm", poll_s=1), reloads("unreachable")
    with tracking("http://127.0.0.1:9"), pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        follower.look()
        follower.look()
    assert follower.champion.version == 1
    assert reloads("unreachable") == before + 2
    assert caplog.text.count("cannot be asked") == 1
    store.promote("demo-llm", 2)
    follower.look()
    assert follower.champion.version == 2


def test_no_champion_says_how_to_get_one(champions: str) -> None:
    with pytest.raises(NoChampion, match="-e promote -P target_llm=nobody"):
        find_champion("nobody")
