"""A registry that is away, hangs or has lost files changes nothing but metrics, and no password is said."""

import asyncio
import logging
import threading
import time

import pytest
from prometheus_client import REGISTRY

from registry import store
from serving.champion import follower as following
from serving.champion import time_limits
from serving.champion.follower import ChampionFollower
from tests.rankers import fetched
from tests.serving.champion.following.looks import hanging, reloads, served, started, unreachable


async def test_registry_that_goes_away_changes_nothing_but_a_metric(
    follower: ChampionFollower, caplog: pytest.LogCaptureFixture
) -> None:
    before = reloads("unreachable")
    await follower.look()
    with unreachable():
        await follower.look()
        await follower.look()
    assert served(follower).version == 1
    assert reloads("unreachable") == before + 2
    assert caplog.text.count("The registry is unreachable") == 1
    store.promote("demo-llm", 2)
    await follower.look()
    assert served(follower).version == 2


async def test_files_that_cannot_be_had_for_a_while_are_tried_again(follower: ChampionFollower) -> None:
    refused = reloads("refused")
    await follower.look()
    store.promote("demo-llm", 2)
    folder = fetched("demo-llm", 2).parents[1]
    away = folder.with_name("away")
    folder.rename(away)
    try:
        await follower.look()
        assert served(follower).version == 1
    finally:
        away.rename(folder)
    assert reloads("refused") == refused, "nothing is wrong with the version"
    await follower.look()
    assert served(follower).version == 2


async def test_registry_that_hangs_is_counted_and_the_next_look_is_not_delayed(
    follower: ChampionFollower, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert following.LOOK_LIMIT_S + 5 < 15, "with the usual 5 s between two looks"
    await started(follower)
    monkeypatch.setattr(following, "LOOK_LIMIT_S", 0.2)
    before = reloads("unreachable")
    with hanging() as address, unreachable(f"http://{address}"):
        for number in range(1, 6):
            await follower.look()
            assert reloads("unreachable") == before + number
    assert sum(thread.name == "registry" for thread in threading.enumerate()) <= 3
    async with asyncio.timeout(60):
        while follower.finding != "champion":  # MLflow's own time limit ends the calls that hang
            await asyncio.sleep(0.1)
            await follower.look()


async def test_mlflows_own_calls_give_up_soon(follower: ChampionFollower, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlflow.store.db.utils.MAX_RETRY_COUNT", 10)
    time_limits.give_up_soon({})
    with hanging() as address, unreachable(f"http://{address}"), pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
        await follower.look()
        assert "no answer" not in follower.trouble, "MLflow ended it"
    with unreachable("postgresql://user:hunter2@127.0.0.1:9/mlflow"):
        await follower.look()
        assert (follower.finding, "no answer" in follower.trouble) == ("unreachable", False)


async def test_age_of_the_last_look_is_that_of_the_last_answer(follower: ChampionFollower) -> None:
    await follower.look()
    looked_at_s = REGISTRY.get_sample_value("pars_registry_looked_at_seconds", {"target_llm": "demo-llm"})
    assert looked_at_s is not None and time.time() - 60 < looked_at_s <= time.time()
    with unreachable():
        await follower.look()
    assert REGISTRY.get_sample_value("pars_registry_looked_at_seconds", {"target_llm": "demo-llm"}) == looked_at_s


@pytest.mark.parametrize("uri", ["http://user:hunter2@127.0.0.1:9", "postgresql://user:hunter2@127.0.0.1:9/mlflow"])
async def test_no_password_is_said(
    follower: ChampionFollower, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    monkeypatch.setattr("mlflow.store.db.utils.MAX_RETRY_COUNT", 1)  # or its retries would hold up the next test
    await started(follower)
    with unreachable(uri), caplog.at_level(logging.DEBUG, logger="serving"):
        await follower.look()
    assert follower.finding == "unreachable"
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("serving", "registry"))]
    assert any("The registry is unreachable" in said for said in ours)
    assert "hunter2" not in "".join([*ours, follower.trouble])
