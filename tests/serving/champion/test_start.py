"""The start of serving rankers, and how each target LLM's alias is followed from then on."""

import asyncio
import shutil
import time
from pathlib import Path

import mlflow
import numpy as np
import pytest

from registry import store, watch
from registry.artefact.length_distribution import LengthDistribution
from serving.champion import start
from serving.champion.served_rankers import EngineRankers, NoRanker
from serving.champion.start import check_rankers, find_champion, follow_champions
from serving.config import Settings, SettingsError
from tests.conftest import tracking
from tests.rankers import TEN_TIMES_AS_LONG, write_ranker

NAMES = {"chat": "brief-llm", "essays": "wordy-llm"}


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory, brief: Path, wordy: Path) -> Path:
    """A registry with a champion for each of the two; version 2 of each predicts the opposite."""
    folder = tmp_path_factory.mktemp("store")
    backward = [
        write_ranker(folder / "2", "brief-llm", -1.0),
        write_ranker(folder / "3", "wordy-llm", -1.0, **TEN_TIMES_AS_LONG),
    ]
    with tracking(f"sqlite:///{folder / 'mlflow.db'}"):
        experiment = mlflow.create_experiment("rankers", (folder / "artifacts").as_uri())
        for ranker in (brief, wordy, *backward):
            with mlflow.start_run(experiment_id=experiment):
                store.register(ranker)
        for target_llm in NAMES.values():
            store.promote(target_llm, 1)
    return folder / "mlflow.db"


@pytest.fixture
def champions(registered: Path, tmp_path: Path) -> str:
    """A copy of that registry, whose aliases may be moved."""
    shutil.copyfile(registered, tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


def settings_for(tmp_path: Path, **changes: object) -> Settings:
    given = {
        "rankers": NAMES,
        "champion_poll_s": 0.05,
        "cache": tmp_path / "cache",
        "ordering_file": tmp_path / "ordering",
    }
    return Settings.model_validate({**given, **changes})


async def wait_for_score(rankers: EngineRankers, target_llm: str, score: float) -> None:
    async with asyncio.timeout(30):
        while rankers.ranker(target_llm).predict("one two").score != score:
            await asyncio.sleep(0.02)


async def test_each_targets_alias_is_followed_on_its_own(champions: str, tmp_path: Path) -> None:
    with tracking(champions):
        async with follow_champions(settings_for(tmp_path), "chat") as rankers:
            before = rankers.ranker("brief-llm"), rankers.ranker("wordy-llm")
            store.promote("wordy-llm", 2)
            await wait_for_score(rankers, "wordy-llm", -2)
            assert rankers.ranker("brief-llm") == before[0]
            assert rankers.ranker("wordy-llm") != before[1]
            store.promote("brief-llm", 2)
            await wait_for_score(rankers, "brief-llm", -2)
            store.rollback("wordy-llm")
            await wait_for_score(rankers, "wordy-llm", 2)


async def test_swap_changes_the_one_distribution(champions: str, tmp_path: Path) -> None:
    with tracking(champions):
        narrow = LengthDistribution.of(np.geomspace(500, 600, 100))
        with mlflow.start_run():
            version = store.register(write_ranker(tmp_path / "narrow", "wordy-llm", -1.0, distribution=narrow))
        async with follow_champions(settings_for(tmp_path), "chat") as rankers:
            before = rankers.quantile(50)
            store.promote("wordy-llm", version)
            await wait_for_score(rankers, "wordy-llm", -2)
            assert rankers.quantile(50) < before


THREE = {**NAMES, "sql": "sql-llm"}


async def test_one_missing_champion_of_three_blocks_none(champions: str, tmp_path: Path) -> None:
    with tracking(champions):
        async with follow_champions(settings_for(tmp_path, rankers=THREE), "chat") as rankers:
            assert [rankers.has_ranker(one) for one in THREE.values()] == [True, True, False]
            with mlflow.start_run():
                store.register(write_ranker(tmp_path / "sql", "sql-llm", 3.0))
            store.promote("sql-llm")
            async with asyncio.timeout(30):
                while not rankers.has_ranker("sql-llm"):
                    await asyncio.sleep(0.02)


async def test_a_ranker_that_is_required_and_missing_ends_the_start_in_one_sentence(
    champions: str, tmp_path: Path
) -> None:
    required = settings_for(tmp_path, rankers=THREE, require_ranker=True)
    with tracking(champions):
        with pytest.raises(NoRanker, match=r"^PARS_REQUIRE_RANKER is on, but .*-P target_llm=sql-llm") as caught:
            await check_rankers(required)
        assert "\n" not in str(caught.value)
        assert str(caught.value).endswith(".")
        write_ranker(tmp_path / "fallback", "another-llm")
        for fallback in (f"{tmp_path}/fallback", f"sql-llm={tmp_path}/fallback"):
            given = {"rankers": THREE, "require_ranker": True, "fallback_ranker": fallback}
            await check_rankers(settings_for(tmp_path, **given))


async def test_fallback_that_is_not_there_is_a_wrong_setting(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, fallback_ranker=f"{tmp_path}/nowhere")
    with pytest.raises(SettingsError, match=r"PARS_FALLBACK_RANKER must be .*/nowhere is not there"):
        await check_rankers(settings)


async def test_start_does_not_wait_for_a_registry_that_hangs(
    champions: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tracking(champions):
        await check_rankers(settings_for(tmp_path))
        look, waited_for = watch.look, []

        def hang(target_llm: str) -> watch.Sighting:
            waited_for.append(target_llm)
            time.sleep(2)
            return look(target_llm)

        monkeypatch.setattr(watch, "look", hang)
        monkeypatch.setattr(start, "START_LIMIT_S", 0.05)
        async with follow_champions(settings_for(tmp_path, rankers=THREE), "chat") as rankers:
            assert sorted(waited_for) == sorted(THREE.values()), "all at once"
            assert rankers.ranker("brief-llm").champion.source == "cached"
            assert not rankers.has_ranker("sql-llm")
            async with asyncio.timeout(30):
                while rankers.ranker("brief-llm").champion.source != "champion":
                    await asyncio.sleep(0.02)


async def test_cache_that_cannot_be_written_stops_nothing(champions: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with tracking(champions):
        async with follow_champions(settings_for(tmp_path, cache=tmp_path / "file" / "cache"), "chat") as rankers:
            assert rankers.ranker("brief-llm").champion.source == "champion"


async def test_file_switches_ordering_off_and_on(champions: str, tmp_path: Path) -> None:
    (tmp_path / "ordering").write_text("off")
    with tracking(champions):
        async with follow_champions(settings_for(tmp_path), "chat") as rankers:
            assert not rankers.is_ordered("brief-llm"), "before the first request"
            (tmp_path / "ordering").unlink()
            async with asyncio.timeout(30):
                while not rankers.is_ordered("brief-llm"):
                    await asyncio.sleep(0.02)


def test_server_to_be_measured_needs_a_champion_and_orders(champions: str) -> None:
    with tracking(champions):
        assert find_champion("brief-llm") == 1
        with pytest.raises(NoRanker, match="-e promote -P target_llm=sql-llm"):
            find_champion("sql-llm")
        mlflow.MlflowClient().set_registered_model_tag("pars-brief-llm", "ordering", "off")
        with pytest.raises(NoRanker, match="switched off in the registry"):
            find_champion("brief-llm")
