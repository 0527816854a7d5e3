import json

from cli.reference.http_tables import ERRORS, openapi
from serving.rank_bodies import RankRequest


def test_the_openapi_says_what_is_asked_and_answered() -> None:
    rank = json.loads(openapi())["paths"]["/rank"]["post"]
    asked = rank["requestBody"]["content"]["application/json"]["schema"]["properties"]
    answered = rank["responses"]["200"]["content"]["application/json"]["schema"]["properties"]
    assert set(asked) == set(RankRequest.model_fields)
    assert {"score", "predicted_tokens", "quantile", "work_s", "tier", "ranker_version"} <= set(answered)
    assert all(one["description"] for one in (*asked.values(), *answered.values()))
    assert set(rank["responses"]) == {"200", *ERRORS}
