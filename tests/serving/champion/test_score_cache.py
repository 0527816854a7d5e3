"""What an encoder has said of texts that come again."""

from pathlib import Path
from types import SimpleNamespace

from registry.ranker import Prediction, Ranker
from registry.request_features import RequestView, view_of
from serving.champion.ranker_sources import Champion
from serving.champion.score_cache import MOST_CHARACTERS, ScoreCache
from serving.champion.served_rankers import EngineRankers
from serving.request_stages import Size
from tests.rankers import write_ranker


def said(score: float) -> Prediction:
    return Prediction(score, score, 0.5)


def view(text: str, **params: object) -> RequestView:
    return view_of(text, params)


def test_what_was_said_is_kept_of_the_latest_requests_only() -> None:
    cache = ScoreCache(2)
    cache.put(view("a"), said(1))
    cache.put(view("b"), said(2))
    assert cache.get(view("a")) == said(1)
    cache.put(view("c"), said(3))
    assert [cache.get(view(text)) for text in ("a", "b", "c", "d")] == [said(1), None, said(3), None]


def test_nothing_is_kept_where_it_is_off_and_of_texts_that_are_too_long() -> None:
    off, on = ScoreCache(0), ScoreCache(9)
    for cache, text in ((off, "a"), (on, "a" * (MOST_CHARACTERS + 1))):
        cache.put(view(text), said(1))
        assert cache.get(view(text)) is None
    on.put(view("\\ud800 \ud800"), said(1))
    assert on.get(view("\\ud800 \ud800")) == said(1), "half a character"


def test_the_same_text_with_another_effort_or_other_tools_is_another_request() -> None:
    cache = ScoreCache(9)
    tools = [[{"name": name}] for name in ("search", "browse")]
    asked = [view("a"), view_of("a"), view("a", reasoning_effort="low"), *(view("a", tools=one) for one in tools)]
    for score, one in enumerate(asked):
        assert cache.get(one) is None
        cache.put(one, said(score))
    assert [cache.get(one) for one in asked] == [said(score) for score in range(5)]


def test_served_ranker_remembers_the_encoders_scores_whatever_the_cap_until_it_is_swapped(tmp_path: Path) -> None:
    ranker = Ranker.load(write_ranker(tmp_path))
    follower = SimpleNamespace(champion=Champion(1, ranker, scores=ScoreCache(9)))
    rankers = EngineRankers({"demo-llm": follower}, {}, "demo-llm")
    served = rankers.ranker("demo-llm")
    assert served.known("one " * 30) is None
    read = served.predict("one " * 30, Size(2.0))
    assert served.known("one " * 30, Size(2.0)) == read
    free = served.known("one " * 30)
    assert free is not None and free.quantile > read.quantile
    follower.champion = Champion(2, ranker, scores=ScoreCache(9))
    assert rankers.ranker("demo-llm").known("one " * 30) is None
