"""`GET /ranking`, without an engine."""

from types import SimpleNamespace
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.routing import Route
from starlette.testclient import TestClient

from registry.artefact.card import RankerCard
from serving.champion.ordering_switch import OrderingSwitch
from serving.champion.served_rankers import EngineRankers
from serving.http.ranking_route import RankingRoute


def state(rankers: EngineRankers | None, **headers: str) -> Any:
    def is_authorised(given: Headers) -> bool:
        return given.get("authorization") == "Bearer key"

    app = Starlette(routes=[Route("/ranking", RankingRoute(rankers, is_authorised).show, methods=["GET"])])
    answer = TestClient(app).get("/ranking", headers=headers)
    return answer.json() if answer.status_code == 200 else answer.status_code


def test_each_target_says_where_its_ranker_comes_from_and_whether_it_is_ordered() -> None:
    card = RankerCard.model_construct(joint=None, target_llm="one")
    ranker = SimpleNamespace(card=card)
    champion = SimpleNamespace(source="cached", version=3, ranker=ranker, instant_state="refused")
    followers = {
        "one": SimpleNamespace(champion=champion, finding="unreachable"),
        "two": SimpleNamespace(champion=None, finding="no_champion"),
    }
    none = {"instant_tier": "missing"}
    switch = OrderingSwitch(followers)
    switch.hear_tag("one", "off")
    assert state(EngineRankers(followers, {}, "one", switch), authorization="Bearer key") == {
        "ranking": "on",
        "order_by": "length",
        "price": None,
        "target_llms": {
            "one": {
                "ordering": "off",
                "source": "cached",
                "ranker_version": 3,
                "instant_tier": "refused",
                "registry": "unreachable",
            },
            "two": {"ordering": "on", "source": "none", "ranker_version": None, **none, "registry": "no_champion"},
        },
    }


def test_server_whose_ranking_is_off_says_so() -> None:
    assert state(None, authorization="Bearer key") == {"ranking": "off", "target_llms": {}}


def test_it_asks_for_the_servers_api_key() -> None:
    assert state(None) == 401
