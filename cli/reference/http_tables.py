"""The routes, what `/rank` takes and answers, and the OpenAPI of both, from the code that serves them."""

import json
from typing import Any

from pydantic import TypeAdapter

from cli.mlproject import setting_docstrings
from cli.reference.field_words import dataclass_words, first_words, model_words
from cli.reference.site_table import code, table
from serving.api_bodies import RANKABLE_PATHS
from serving.http.header_routes import reads_the_header
from serving.http.rank_route import RankRoute
from serving.http.ranking_route import RankingRoute
from serving.rank_bodies import RankAnswer, RankRequest
from traffic.cells.params import PARAMS

RANK, RANKING = RankRoute.rank, RankingRoute.show
ERRORS = {
    "400": "The body is no request to rank.",
    "401": "The server asks for an API key, and this is none of its.",
    "404": "No ranker is for this model.",
    "413": "The body is too large.",
    "503": "No tier can answer, or ranking is off.",
}


def our_routes() -> str:
    """Those that vLLM does not have."""
    rows = [(code("POST /rank"), first_words(RANK)), (code("GET /ranking"), first_words(RANKING))]
    return table(("route", "what it does"), rows)


def rank_request() -> str:
    """What `/rank` takes."""
    rows = [(code(name), kind, meaning) for name, kind, _, meaning in model_words(RankRequest)]
    others = f"what else the request asks for: {', '.join(map(code, PARAMS))}"
    return table(("field", "takes", "meaning"), [*rows, ("others", "as in the APIs", others)])


def rank_answer() -> str:
    """What it answers."""
    rows = ((code(name), kind, meaning) for name, kind, _, meaning in dataclass_words(RankAnswer))
    return table(("field", "is", "meaning"), rows)


def rank_errors() -> str:
    """Its statuses, and why."""
    return table(("status", "why"), ERRORS.items())


def ranked_routes() -> str:
    """The routes of vLLM whose text is read."""
    rows = ((code(path), "yes" if reads_the_header(path) else "no: refused there") for path in RANKABLE_PATHS)
    return table(("route", "in plain vLLM"), rows)


def openapi() -> str:
    """The OpenAPI of our routes, as JSON."""
    errors = {status: {"description": why} for status, why in ERRORS.items()}
    rank = {
        "summary": first_words(RANK),
        "requestBody": {"required": True, "content": _json_of(RankRequest)},
        "responses": {"200": {"description": first_words(RankAnswer), "content": _json_of(RankAnswer)}, **errors},
    }
    state = {"200": {"description": "The state of each target LLM."}, "401": errors["401"]}
    paths = {"/rank": {"post": rank}, "/ranking": {"get": {"summary": first_words(RANKING), "responses": state}}}
    return json.dumps({"openapi": "3.1.0", "info": {"title": "PARS", "version": "1"}, "paths": paths}, indent=2)


def _json_of(body: type[Any]) -> dict[str, Any]:
    schema, meanings = TypeAdapter(body).json_schema(), setting_docstrings(body)
    for name, field in schema["properties"].items():
        field["description"] = meanings.get(name, "")
    return {"application/json": {"schema": schema}}
