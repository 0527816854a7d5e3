"""No client can choose what a label of `/metrics` holds."""

import random
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_fastapi_instrumentator import Instrumentator
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute

from serving.http.route_labels import BoundedLabels, route_label


async def answer(*_: Any) -> Any:
    return PlainTextResponse("answer")


ROUTES = [
    Route("/v1/models", answer),
    Route("/v1/responses/{response_id}", answer),
    Route("/v1/responses/{response_id}/cancel", answer, methods=["POST"]),
    Route("/v1/responses/render", answer, methods=["POST"]),
    Route("/files/{name:path}", answer),
    WebSocketRoute("/v1/realtime", answer),
    Mount("/metrics", answer),
    Mount("/inner", routes=[Route("/batches/{batch_id}", answer)]),
    Mount("/", answer),
]


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("/v1/models", "/v1/models"),
        ("/v1/responses/resp_abc", "/v1/responses/{response_id}"),
        ("/v1/responses/resp_abc/cancel", "/v1/responses/{response_id}/cancel"),
        ("/v1/responses/render", "/v1/responses/render"),
        ("/files/a/b/c", "/files/{name:path}"),
        ("/v1/realtime", "/v1/realtime"),
        ("/metrics/of/mine", "/metrics"),
        ("/inner/batches/batch_1", "/inner/batches/{batch_id}"),
        ("/inner/batches/", None),
        ("/v1/responses/resp_abc/", None),
        ("/v1/models\n", "/v1/models"),
        ("/v1/models/", None),
        ("//v1/models", None),
        ("/", None),
        ("", None),
    ],
)
def test_label_is_the_route_as_it_is_written(path: str, label: str | None) -> None:
    assert route_label(path, ROUTES) == label


def instrumented() -> tuple[httpx.AsyncClient, CollectorRegistry]:
    """A client of an application with vLLM's metrics, and where those are."""
    app, registry = FastAPI(routes=ROUTES[:4]), CollectorRegistry()
    Instrumentator(registry=registry).instrument(app)
    app.add_middleware(BoundedLabels)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test"), registry


def series(registry: CollectorRegistry) -> set[str]:
    return {line.split(" ")[0] for line in generate_latest(registry).decode().splitlines()}


async def test_vllms_own_metrics_stay_bounded_whatever_paths_and_methods_come() -> None:
    client, registry = instrumented()
    chance = random.Random(7)
    shapes = (
        "/{}",
        "/v1/models/{}",
        "/v1/responses/{}",
        "/v1/responses/{}/",
        "/v1/responses/{}/cancel/",
        "/{}//",
        "/v1/models%0A{}",
    )
    await client.get("/v1/models")
    for _ in range(1000):
        await client.request(f"X{chance.randbytes(4).hex()}", "/v1/models")
        await client.get(chance.choice(shapes).format(chance.randbytes(4).hex()))
    handlers = {line.split('handler="')[1].split('"')[0] for line in series(registry) if "handler=" in line}
    ids = {"/v1/responses/{response_id}", "/v1/responses/{response_id}/cancel"}
    assert handlers == {"/v1/models", *ids, "none"}
    assert len(series(registry)) < 120


async def test_unknown_method_is_told_which_there_are() -> None:
    client, _ = instrumented()
    response = await client.request("BREW", "/v1/models")
    assert response.status_code == 501
    assert response.json()["error"]["message"].endswith("PUT, TRACE, but got 'BREW'.")


async def test_slash_behind_an_id_changes_nothing_and_one_behind_another_route_is_still_redirected() -> None:
    client, _ = instrumented()
    assert (await client.get("/v1/responses/resp_1/")).text == "answer"
    response = await client.get("/v1/models/")
    assert response.status_code == 307
    assert response.headers["location"] == "http://test/v1/models"


async def test_websocket_is_let_through() -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["path"])

    await BoundedLabels(app)({"type": "websocket", "path": "/a/", "app": Starlette()}, None, None)  # type: ignore[arg-type]
    assert seen == ["/a/"]
