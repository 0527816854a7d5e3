"""What stands in for a champion that cannot be had at a start: the last one served here, or the fallback."""

import logging
from pathlib import Path

import pytest

from registry import store
from registry.artefact.files import ONNX_FILE
from serving.champion.follower import ChampionFollower
from serving.champion.ordering_switch import OrderingSwitch
from serving.champion.ranker_copies import RankerCopies
from tests.rankers import write_ranker
from tests.serving.champion.following.looks import reloads, served, source_of, started, unreachable


async def test_while_the_registry_is_unreachable_a_start_uses_the_last_ranker_that_was_served_here(
    follower: ChampionFollower, cache: RankerCopies, switch: OrderingSwitch, caplog: pytest.LogCaptureFixture
) -> None:
    store.promote("demo-llm", 2)
    await follower.look()
    before, swapped = reloads("cached"), reloads("swapped")
    again = ChampionFollower("demo-llm", 1, cache, switch)
    with unreachable(), caplog.at_level(logging.WARNING):
        cached = await started(again)
        await again.look()
    assert (cached.version, cached.source, source_of("demo-llm")) == (2, "cached", ["cached"])
    assert cached.ranker.predict("one two").score == -2
    assert reloads("cached") == before + 1
    assert "A ranker in the cache stands in for the champion of demo-llm: the registry at http://127.0.0.1:9 must" in (
        caplog.text
    )
    await again.look()
    assert (served(again).version, source_of("demo-llm")) == (2, ["champion"])
    assert reloads("swapped") == swapped, "it was this one all the time"
    store.promote("demo-llm", 1)
    await again.look()
    assert served(again).version == 1, "it follows the alias again"


async def test_champion_that_is_refused_at_a_start_is_stood_in_for(
    follower: ChampionFollower, cache: RankerCopies, switch: OrderingSwitch, tmp_path: Path
) -> None:
    store.promote("demo-llm", 3)
    await follower.look()
    assert (follower.champion, follower.finding) == (None, "refused")
    await follower.stand_in(write_ranker(tmp_path / "fallback", weight=5.0))
    assert (served(follower).version, source_of("demo-llm")) == (None, ["fallback"])
    assert served(follower).ranker.predict("one two").score == 10
    store.promote("demo-llm", 2)
    await follower.look()
    assert (served(follower).version, source_of("demo-llm")) == (2, ["champion"])
    store.promote("demo-llm", 3)
    again = ChampionFollower("demo-llm", 1, cache, switch)
    await again.look()
    await again.stand_in(tmp_path / "fallback")
    assert (served(again).version, served(again).source) == (2, "cached"), "the cache comes before the fallback"


async def test_cached_ranker_is_checked_as_any_ranker(
    follower: ChampionFollower, cache: RankerCopies, switch: OrderingSwitch, caplog: pytest.LogCaptureFixture
) -> None:
    await follower.look()
    with cache.last("demo-llm") as found:
        assert found is not None
    with (found[1] / ONNX_FILE).open("ab") as file:
        file.write(b"x")
    again = ChampionFollower("demo-llm", 1, cache, switch)
    with unreachable():
        await again.look()
        await again.stand_in(None)
    assert again.champion is None
    assert "The ranker in the cache cannot be served: " in caplog.text
    assert "its sha256 differs" in caplog.text


async def test_fallback_of_another_target_is_served_and_that_is_said(
    champions: str, cache: RankerCopies, switch: OrderingSwitch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = tmp_path / "model"
    write_ranker(model / "data" / "x", "another-llm")
    (model / "MLmodel").write_text("flavors: {python_function: {data: data/x, loader_module: registry.pyfunc}}")
    follower = ChampionFollower("nobody", 1, cache, switch)
    await follower.look()
    await follower.stand_in(model)
    assert served(follower).source == "fallback"
    assert "The fallback ranker of 'nobody' was trained for 'another-llm'." in caplog.text


@pytest.mark.parametrize("files", [(), ("card.json",), ("MLmodel",)])
async def test_fallback_that_does_not_load_is_said_and_the_server_starts(
    champions: str,
    cache: RankerCopies,
    switch: OrderingSwitch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    files: tuple[str, ...],
) -> None:
    for name in files:
        (tmp_path / name).write_text("{}")
    follower = ChampionFollower("nobody", 1, cache, switch)
    await follower.look()
    await follower.stand_in(tmp_path)
    assert follower.champion is None
    assert "The ranker in PARS_FALLBACK_RANKER cannot be served: " in caplog.text
