"""Model names, their rankers, and the one distribution of an engine that answers as several target LLMs."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client import REGISTRY

from registry.ranker import Ranker
from registry.request import Text, UnrankableContent
from serving.champion.ordering_switch import OrderingSwitch
from serving.champion.ranker_sources import Champion
from serving.champion.served_rankers import EngineRankers, NoRanker
from serving.config import Settings
from serving.metrics import NO_RANKER
from serving.ranking.place_finder import PlaceFinder
from serving.request_stages import Place, Size
from tests.serving.fakes import engine_request, place_of

NAMES = {"chat": "brief-llm", "essays": "wordy-llm"}


@pytest.fixture
def rankers(brief: Path, wordy: Path) -> EngineRankers:
    champions = {"brief-llm": Champion(1, Ranker.load(brief)), "wordy-llm": Champion(1, Ranker.load(wordy))}
    return EngineRankers({name: SimpleNamespace(champion=one) for name, one in champions.items()}, NAMES, "chat")


def test_only_ranker_reads_every_models_prompts_as_it_would_alone(brief: Path) -> None:
    ranker = Ranker.load(brief)
    alone = EngineRankers({"brief-llm": SimpleNamespace(champion=Champion(4, ranker))}, {}, "chat")
    for model in ("chat", "an adapter", None):
        served = alone.ranker_of(model)
        assert served is not None
        assert served.version == 4
        assert served.predict("one two") == ranker.predict("one two")
        assert served.median_quantile() == pytest.approx(0.5, abs=0.02)


def test_cap_limits_the_quantile_and_not_the_prediction(rankers: EngineRankers) -> None:
    chat = rankers.ranker("brief-llm")
    free, capped = chat.predict("word " * 60), chat.predict("word " * 60, Size(cap_tokens=2))
    assert capped.quantile < free.quantile
    assert capped.predicted_tokens == free.predicted_tokens
    assert chat.median_quantile(Size(cap_tokens=1)) < chat.median_quantile()


def test_each_model_has_its_own_ranker_and_one_without_a_name_is_the_default(rankers: EngineRankers) -> None:
    assert [rankers.target_of(model) for model in ("chat", "essays", None)] == ["brief-llm", "wordy-llm", "brief-llm"]
    assert rankers.target_of("other") is None
    assert rankers.ranker_of("other") is None
    chat = rankers.ranker_of("chat")
    assert chat == rankers.ranker("brief-llm"), "the same version is the same ranker"
    assert chat != rankers.ranker("wordy-llm")


def test_answers_ten_times_as_long_are_behind_in_the_one_distribution(rankers: EngineRankers) -> None:
    brief, wordy = rankers.ranker("brief-llm"), rankers.ranker("wordy-llm")
    prompts = ["one " * words for words in (5, 15, 25, 35)]
    for prompt in prompts:
        assert wordy.predict(prompt).predicted_tokens == pytest.approx(10 * brief.predict(prompt).predicted_tokens)
        assert brief.predict(prompt).quantile < wordy.predict(prompt).quantile
    asked = [ranker.predict(prompt) for prompt in prompts for ranker in (brief, wordy)]
    by_tokens = sorted(asked, key=lambda prediction: prediction.predicted_tokens)
    assert by_tokens == sorted(asked, key=lambda prediction: prediction.quantile)
    assert wordy.predict("one " * 5).quantile < brief.predict("one " * 35).quantile, "the length counts, not the model"
    alone = [Ranker.predict(ranker.champion.ranker, "one " * 15).quantile for ranker in (brief, wordy)]
    assert alone[0] == pytest.approx(alone[1]), "each in its own distribution they would tie"


def test_medians_are_the_targets_own_or_that_of_all(rankers: EngineRankers) -> None:
    brief, wordy = rankers.ranker("brief-llm"), rankers.ranker("wordy-llm")
    assert brief.median_quantile() < rankers.median_quantile() < wordy.median_quantile()
    assert rankers.median_quantile() == pytest.approx(0.5)
    assert rankers.median_quantile(Size(1.0)) == rankers.quantile(1.0) < 0.1


async def test_request_too_large_to_read_has_one_place_whatever_its_model_but_for_its_cap(
    rankers: EngineRankers,
) -> None:
    finder = PlaceFinder.start(Settings(), rankers)
    for model in (None, "chat", "essays", "other"):
        place = await find_place(finder, model, UnrankableContent("too_large"))
        assert (place.quantile, place.reason) == (0.75, "too_large")
    finder.close()
    assert rankers.large_quantile(Size(1.0)) == rankers.quantile(1.0) < 0.1
    assert rankers.large_quantile(Size(1e9)) == 0.75
    assert EngineRankers({"demo-llm": SimpleNamespace(champion=None)}, {}, "demo-llm").large_quantile() == 0.5


async def test_request_for_a_model_without_a_ranker_gets_the_median_and_is_counted(rankers: EngineRankers) -> None:
    finder = PlaceFinder.start(Settings(), rankers)
    before, images_before = fail_opens("no_ranker"), fail_opens("image", "wordy-llm")
    place = await find_place(finder, "other", "one two")
    assert (place.quantile, place.reason) == (pytest.approx(0.5), "no_ranker")
    assert fail_opens("no_ranker") == before + 1
    image = await find_place(finder, "essays", UnrankableContent("image"))
    assert (image.quantile, image.reason) == (rankers.ranker("wordy-llm").median_quantile(), "image")
    assert fail_opens("image", "wordy-llm") == images_before + 1, "by the target LLM whose request it was"
    assert [finder.target_llm(model) for model in (None, "essays", "other")] == ["brief-llm", "wordy-llm", NO_RANKER]
    ranked = [(await find_place(finder, model, "one two")).predicted_tokens for model in (None, "essays")]
    assert ranked[1] == pytest.approx(10 * (ranked[0] or 0))
    finder.close()


async def find_place(finder: PlaceFinder, model: str | None, text: Text, cap_tokens: float | None = None) -> Place:
    return await place_of(finder, engine_request(text, cap_tokens, model))


def fail_opens(reason: str, target_llm: str = NO_RANKER) -> float:
    labels = {"reason": reason, "target_llm": target_llm}
    return REGISTRY.get_sample_value("pars_ranking_fail_opens_total", labels) or 0.0


@pytest.fixture
def half(wordy: Path) -> EngineRankers:
    """One of the two has no ranker now."""
    followers = {"brief-llm": None, "wordy-llm": Champion(1, Ranker.load(wordy))}
    return EngineRankers({name: SimpleNamespace(champion=one) for name, one in followers.items()}, NAMES, "chat")


async def test_target_without_a_ranker_has_the_median_of_the_others(half: EngineRankers) -> None:
    finder = PlaceFinder.start(Settings(), half)
    before = fail_opens("no_ranker", "brief-llm")
    place = await find_place(finder, "chat", "one two")
    assert (place.quantile, place.reason) == (pytest.approx(0.5, abs=0.01), "no_ranker")
    assert fail_opens("no_ranker", "brief-llm") == before + 1
    ranked = await find_place(finder, "essays", "one two")
    assert ranked.reason is None
    assert half.ranker_of("essays") is not None
    with pytest.raises(NoRanker, match="brief-llm has no ranker now"):
        half.ranker_of("chat")
    finder.close()


async def test_without_any_ranker_every_request_has_the_same_place() -> None:
    none = EngineRankers({name: SimpleNamespace(champion=None) for name in NAMES.values()}, NAMES, "chat")
    finder = PlaceFinder.start(Settings(), none)
    asked: list[tuple[str | None, Text]] = [("chat", "one"), ("essays", "one " * 50), ("other", "x"), (None, "")]
    asked.append(("chat", UnrankableContent("image")))
    places = [await find_place(finder, model, text, cap) for model, text in asked for cap in (None, 1.0)]
    assert {(place.quantile, place.reason) for place in places} == {(0.5, "no_ranker")}
    finder.close()


async def test_while_ordering_is_off_every_request_has_the_same_place_and_none_is_held(
    brief: Path, wordy: Path
) -> None:
    switch = OrderingSwitch(NAMES.values())
    champions = {"brief-llm": Champion(1, Ranker.load(brief)), "wordy-llm": Champion(1, Ranker.load(wordy))}
    followers = {name: SimpleNamespace(champion=one) for name, one in champions.items()}
    finder = PlaceFinder.start(Settings(), EngineRankers(followers, NAMES, "chat", switch))
    switch.hear_tag("brief-llm", "off")
    for text in ("one", "one " * 50, UnrankableContent("image")):
        assert await find_place(finder, "chat", text, 1.0) == Place(0.5, "ordering_off")
    assert (await find_place(finder, "essays", "one")).reason is None, "the other is ordered"
    switch.hear_file("off")
    for model in ("chat", "essays", "other"):
        assert await find_place(finder, model, "one", 1.0) == Place(0.5, "ordering_off")
    switch.hear_file(None)
    switch.hear_tag("brief-llm", None)
    assert (await find_place(finder, "chat", "one")).reason is None
    finder.close()
