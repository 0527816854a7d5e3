"""The champion's alias and what the registry says beside it are followed."""

import tempfile
import time
from math import isnan
from pathlib import Path

import mlflow
import pytest
from prometheus_client import REGISTRY

from registry import store
from registry.artefact.card import CARD_FILE
from registry.promotion import GATE_TAG
from registry.watch import YESTERDAY_TAG
from serving.champion.follower import ChampionFollower
from serving.champion.ordering_switch import OrderingSwitch
from serving.champion.ranker_copies import LAST, LOCK, RankerCopies
from serving.metrics import GATES
from tests.rankers import write_ranker
from tests.serving.champion.following.looks import reloads, served, source_of, started, unreachable
from tests.serving.champion.yesterdays import SAID


def gate_of(target_llm: str) -> list[str]:
    """What the gauge says of the gate."""
    labels = {gate: {"target_llm": target_llm, "gate": gate} for gate in GATES}
    return [one for one in GATES if REGISTRY.get_sample_value("pars_champion_gate", labels[one]) == 1]


async def test_page_says_what_the_gate_has_decided_of_the_champion(follower: ChampionFollower) -> None:
    await started(follower)
    assert gate_of("demo-llm") == ["none"], "its alias was moved by hand"
    before = served(follower)
    for gate in ("promoted", "forced", "refused"):
        mlflow.MlflowClient().set_model_version_tag("pars-demo-llm", "1", GATE_TAG, gate)
        await follower.look()
        assert gate_of("demo-llm") == [gate]
    assert served(follower) is before, "a tag is no new ranker"


async def test_champion_is_followed_when_the_alias_moves(follower: ChampionFollower) -> None:
    first = await started(follower)
    assert first.version == 1
    assert first.instant_state == "on"
    assert REGISTRY.get_sample_value("pars_ranker_instant_tier", {"target_llm": "demo-llm"}) == 1
    await follower.look()
    assert follower.champion is first
    store.promote("demo-llm", 2)
    await follower.look()
    assert served(follower).version == 2
    assert first.ranker.predict("one two").score == 2, "a request that holds the old one can still use it"
    assert served(follower).ranker.predict("one two").score == -2
    assert REGISTRY.get_sample_value("pars_ranker_version", {"target_llm": "demo-llm"}) == 2
    since_s = REGISTRY.get_sample_value("pars_ranker_since_seconds", {"target_llm": "demo-llm"})
    assert since_s is not None and time.time() - 60 < since_s <= time.time()
    store.rollback("demo-llm")
    await follower.look()
    assert served(follower).version == 1


async def test_target_without_a_champion_is_followed_until_it_has_one(
    champions: str, cache: RankerCopies, switch: OrderingSwitch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    follower, before = ChampionFollower("nobody", 1, cache, switch), reloads("swapped")
    await follower.look()
    await follower.stand_in(None)
    follower.say_if_missing()
    assert (follower.champion, follower.finding, source_of("nobody")) == (None, "no_champion", ["none"])
    assert (
        "Requests to nobody are served first come, first served until it has a ranker: pars-nobody has no champion"
        in (caplog.text)
    )
    assert "-e promote -P target_llm=nobody" in caplog.text
    with mlflow.start_run():
        store.register(write_ranker(tmp_path / "nobody", "nobody"))
    store.promote("nobody")
    await follower.look()
    assert served(follower).version == 1
    assert (follower.finding, source_of("nobody")) == ("champion", ["champion"])
    assert reloads("swapped") == before + 1


def make_anew(ranker: Path) -> None:
    """Delete the registered model, and make this ranker version 1 and champion of a new one."""
    mlflow.MlflowClient().delete_registered_model("pars-demo-llm")
    with mlflow.start_run():
        store.register(ranker)
    store.promote("demo-llm", 1)


async def test_model_deleted_and_made_anew_as_version_1_is_swapped_in(
    follower: ChampionFollower, tmp_path: Path
) -> None:
    before = await started(follower)
    swapped = reloads("swapped")
    make_anew(write_ranker(tmp_path / "anew", weight=7.0))
    await follower.look()
    assert before.version == served(follower).version == 1
    assert served(follower).ranker.predict("one two").score == 14
    assert reloads("swapped") == swapped + 1


async def test_same_files_registered_anew_under_the_same_number_are_no_other_ranker(
    follower: ChampionFollower, tmp_path: Path
) -> None:
    before = await started(follower)
    swapped = reloads("swapped")
    make_anew(write_ranker(tmp_path / "anew", instant_weight=1.0))
    await follower.look()
    assert served(follower).is_same_ranker(before)
    assert reloads("swapped") == swapped


async def test_swaps_and_failures_leave_nothing_behind(
    follower: ChampionFollower, cache: RankerCopies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    for version in (1, 2, 3, 1):
        store.promote("demo-llm", version)
        await follower.look()
    with mlflow.start_run():
        version = store.register(write_ranker(tmp_path / "gone"))
    (Path(store.ranker_folder(f"models:/pars-demo-llm/{version}")) / CARD_FILE).unlink()
    store.promote("demo-llm", version)
    await follower.look()
    assert list(elsewhere.iterdir()) == []
    assert len({path.name for path in (cache.folder / "pars-demo-llm").iterdir()} - {LAST, LOCK}) == 1


async def test_tag_switches_ordering(follower: ChampionFollower, switch: OrderingSwitch) -> None:
    await follower.look()
    assert switch.is_on("demo-llm")
    mlflow.MlflowClient().set_registered_model_tag("pars-demo-llm", "ordering", "off")
    await follower.look()
    assert not switch.is_on("demo-llm")
    with unreachable():
        await follower.look()
    assert not switch.is_on("demo-llm"), "what it said last holds"
    mlflow.MlflowClient().delete_registered_model_tag("pars-demo-llm", "ordering")
    await follower.look()
    assert switch.is_on("demo-llm")


async def test_what_yesterday_would_have_been_is_shown_while_the_tag_says_it(follower: ChampionFollower) -> None:
    def shown() -> float:
        value = REGISTRY.get_sample_value("pars_yesterday_fcfs_ratio", {"target_llm": "demo-llm"})
        assert value is not None
        return value

    await follower.look()
    assert isnan(shown())
    store.tag_model("demo-llm", YESTERDAY_TAG, SAID.model_dump_json())
    await follower.look()
    assert shown() == 3.4
    store.tag_model("demo-llm", YESTERDAY_TAG, SAID.model_dump_json()[:-9])
    await follower.look()
    assert isnan(shown())
