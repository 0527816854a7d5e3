"""The champion's alias is followed; a version that cannot be served is refused."""

import logging
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow
import pytest
from prometheus_client import REGISTRY

from registry import store
from registry.card import InvalidRanker, RankerCard
from registry.ranker import ONNX_FILE, RANKER_FILES, TOKENIZER_FILE, sha256_of
from serving.champion import follower as reload
from serving.champion.follower import ChampionFollower, NoChampion, check_champion, find_champion
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


@contextmanager
def unreachable() -> Iterator[None]:
    """A registry that nobody listens for."""
    with tracking("http://127.0.0.1:9"), pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        yield


def reloads(outcome: str) -> float:
    return REGISTRY.get_sample_value("pars_ranker_reloads_total", {"outcome": outcome}) or 0.0


def test_champion_is_followed_when_the_alias_moves(champions: str, cache: RankerCopies) -> None:
    follower = ChampionFollower("demo-llm", 1, cache)
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
    since_s = REGISTRY.get_sample_value("pars_ranker_since_seconds", {"target_llm": "demo-llm"})
    assert since_s is not None and time.time() - 60 < since_s <= time.time()
    store.rollback("demo-llm")
    follower.look()
    assert follower.champion.version == 1


def test_version_that_does_not_load_is_refused_once_and_the_old_one_keeps_serving(
    champions: str, cache: RankerCopies, caplog: pytest.LogCaptureFixture
) -> None:
    follower, before = ChampionFollower("demo-llm", 1, cache), reloads("refused")
    store.promote("demo-llm", 3)
    follower.look()
    follower.look()
    assert follower.champion.version == 1
    assert reloads("refused") == before + 1
    assert "Version 3 is refused, version 1 keeps serving" in caplog.text
    store.promote("demo-llm", 2)
    follower.look()
    assert follower.champion.version == 2


def change_card(folder: Path, **changes: object) -> None:
    """Spoil the card of a version, whoever did it, after it was registered."""
    RankerCard.read(folder).model_copy(update=changes).write(folder)


def corrupt(folder: Path) -> None:
    """A file that does not load, though its digest is right."""
    (folder / ONNX_FILE).write_bytes(b"not a network")
    card = RankerCard.read(folder)
    change_card(folder, sha256={**card.sha256, ONNX_FILE: sha256_of(folder / ONNX_FILE)})


def change_one_byte(folder: Path) -> None:
    content = bytearray((folder / ONNX_FILE).read_bytes())
    content[-1] ^= 1
    (folder / ONNX_FILE).write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda folder: change_card(folder, target_llm="other-llm"), "must be trained for 'demo-llm'"),
        (lambda folder: change_card(folder, text_rendering="another-0"), "trained on 'another-0'"),
        (corrupt, "does not load"),
        (change_one_byte, "its sha256 differs"),
        (lambda folder: (folder / TOKENIZER_FILE).unlink(), "has none"),
    ],
    ids=["wrong target", "other text rendering", "corrupt file", "failed digest", "missing file"],
)
def test_version_that_does_not_match_is_refused_with_its_reason(
    champions: str,
    cache: RankerCopies,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[Path], None],
    reason: str,
) -> None:
    follower, before = ChampionFollower("demo-llm", 1, cache), reloads("refused")
    folder = store.fetch("demo-llm", 2)
    registered = {name: (folder / name).read_bytes() for name in RANKER_FILES}
    spoil(folder)
    try:
        store.promote("demo-llm", 2)
        follower.look()
    finally:
        for name, content in registered.items():
            (folder / name).write_bytes(content)
    assert follower.champion.version == 1
    assert follower.champion.ranker.predict("one two").score == 2
    assert reloads("refused") == before + 1
    assert "Version 2 is refused, version 1 keeps serving" in caplog.text
    assert reason in caplog.text


def test_registry_that_goes_away_changes_nothing_but_a_metric(
    champions: str, cache: RankerCopies, caplog: pytest.LogCaptureFixture
) -> None:
    follower, before = ChampionFollower("demo-llm", 1, cache), reloads("unreachable")
    with unreachable():
        follower.look()
        follower.look()
    assert follower.champion.version == 1
    assert reloads("unreachable") == before + 2
    assert caplog.text.count("The registry is unreachable") == 1
    store.promote("demo-llm", 2)
    follower.look()
    assert follower.champion.version == 2


def test_no_champion_says_how_to_get_one(champions: str) -> None:
    with pytest.raises(NoChampion, match="-e promote -P target_llm=nobody"):
        find_champion("nobody")


def test_files_that_cannot_be_had_for_a_while_are_tried_again(champions: str, cache: RankerCopies) -> None:
    follower, refused = ChampionFollower("demo-llm", 1, cache), reloads("refused")
    store.promote("demo-llm", 2)
    folder = store.fetch("demo-llm", 2).parents[1]
    away = folder.with_name("away")
    folder.rename(away)
    try:
        follower.look()
        assert follower.champion.version == 1
    finally:
        away.rename(folder)
    assert reloads("refused") == refused, "nothing is wrong with the version"
    follower.look()
    assert follower.champion.version == 2


def test_while_the_registry_is_unreachable_a_start_uses_the_last_ranker_that_was_served_here(
    champions: str, cache: RankerCopies, caplog: pytest.LogCaptureFixture
) -> None:
    store.promote("demo-llm", 2)
    ChampionFollower("demo-llm", 1, cache)
    before = reloads("cached")
    with unreachable(), caplog.at_level(logging.WARNING):
        check_champion("demo-llm", cache)
        follower = ChampionFollower("demo-llm", 1, cache)
        follower.look()
    assert follower.champion.version == 2
    assert follower.champion.ranker.predict("one two").score == -2
    assert reloads("cached") == before + 1
    said = [record.getMessage() for record in caplog.records if record.name == reload.__name__]
    assert said[0].startswith("pars-demo-llm version 2, the last one served here, is loaded from the cache in ")
    store.promote("demo-llm", 1)
    follower.look()
    assert follower.champion.version == 1, "it follows the alias again"


def test_start_without_registry_and_cache_says_what_to_do(champions: str, cache: RankerCopies) -> None:
    with unreachable():
        for start in (lambda: check_champion("demo-llm", cache), lambda: ChampionFollower("demo-llm", 1, cache)):
            with pytest.raises(store.RegistryError, match=r"http://127.0.0.1:9 .*set MLFLOW_TRACKING_URI"):
                start()


def test_cached_ranker_is_checked_as_any_ranker(champions: str, cache: RankerCopies) -> None:
    ChampionFollower("demo-llm", 1, cache)
    found = cache.find("demo-llm")
    assert found is not None
    with (found[1] / ONNX_FILE).open("ab") as file:
        file.write(b"x")
    with unreachable(), pytest.raises(InvalidRanker, match="its sha256 differs"):
        ChampionFollower("demo-llm", 1, cache)


def test_refused_version_is_not_cached(champions: str, cache: RankerCopies) -> None:
    follower = ChampionFollower("demo-llm", 1, cache)
    store.promote("demo-llm", 3)
    follower.look()
    found = cache.find("demo-llm")
    assert found is not None
    assert found[0] == 1


def test_start_does_not_wait_for_a_registry_that_hangs(cache: RankerCopies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "alias_version", lambda _: time.sleep(2))
    monkeypatch.setattr(reload, "REGISTRY_TIMEOUT_S", 0.05)
    with pytest.raises(store.RegistryError, match=r"no answer after 0.05 s"):
        check_champion("demo-llm", cache)
