"""BentoML's families with our labels: held against BentoML's own, and around its own application."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, WebSocket
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, Summary
from starlette.testclient import TestClient

from serving.hosts.gate import Gate
from serving.http.request_metrics import RequestMetrics
from serving.http.route_labels import route_label
from tests.bentomls import bentomls

PREFIX = "bentoml_service_"
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def context() -> SimpleNamespace:
    """The service as BentoML knows it; of this test only, so that its counts start at 0."""
    return SimpleNamespace(bento_name="small", bento_version=f"{random.random()}", service_name="Small")


@pytest.fixture
def gate() -> Gate:
    inner, gate = FastAPI(), Gate()
    gate.app = inner

    @inner.get("/v1/models")
    async def models() -> str:
        return "models"

    @inner.get("/v1/responses/{response_id}")
    async def response(response_id: str) -> str:
        return response_id

    @inner.get("/slow")
    async def slow() -> None:
        await asyncio.sleep(60)

    @inner.websocket("/v1/realtime")
    async def realtime(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())
        await websocket.close()  # one that ends without a word stays connected in BentoML's eyes

    return gate


def counted(context: SimpleNamespace, registry: CollectorRegistry = REGISTRY) -> Series:
    """The series of this test's service; when one was made is no count."""
    return {
        (sample.name.removeprefix(PREFIX), frozenset(sample.labels.items())): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.labels.get("service_version") == context.bento_version and not sample.name.endswith("_created")
    }


def by_endpoint(context: SimpleNamespace) -> dict[tuple[str, str], float]:
    """Requests by endpoint and code."""
    return {
        (dict(labels)["endpoint"], dict(labels)["http_response_code"]): value
        for (name, labels), value in counted(context).items()
        if name == "request_total"
    }


def service_app(gate: Gate, context: SimpleNamespace, **config: Any) -> Any:
    """The application that BentoML makes of a service like ours."""
    sdk = bentomls("_bentoml_sdk")
    made = sdk.asgi_app(gate, path="/")(type("Small", (), {}))
    service = sdk.service(name="small", metrics={"enabled": False}, **config)(made)
    service.add_asgi_middleware(RequestMetrics, service=context)
    service.inject_config()
    return service.to_asgi(is_main=True)


def client_of(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def test_thousands_of_paths_are_one_series_and_real_routes_keep_their_names(
    gate: Gate, context: SimpleNamespace
) -> None:
    client, chance = client_of(service_app(gate, context)), random.Random(7)
    for path in ("/v1/models", "/livez", "/schema.json", "/v1/responses/resp_0", "/nowhere"):
        await client.get(path)
    before = counted(context)
    for _ in range(350):
        await client.get(f"/{chance.randbytes(4).hex()}")
        await client.get(f"/v1/{chance.randbytes(4).hex()}/{chance.randbytes(4).hex()}")
        await client.get(f"/v1/responses/resp_{chance.randbytes(4).hex()}")
    assert counted(context).keys() == before.keys()
    assert by_endpoint(context) == {
        ("/v1/models", "200"): 1,
        ("/livez", "200"): 1,
        ("/schema.json", "200"): 1,
        ("/v1/responses/{response_id}", "200"): 351,
        ("unmatched", "404"): 701,
    }


def bentomls_own(app: Any, context: SimpleNamespace, registry: CollectorRegistry) -> Any:
    """BentoML's own middleware, with families of its own."""
    instruments = bentomls("bentoml._internal.server.http.instruments")
    instruments.server_context = SimpleNamespace(**vars(context), service_routes=[])
    middleware = instruments.RunnerTrafficMetricsMiddleware(app, namespace="bentoml_service")
    kinds = {kind.__name__: partial(kind, registry=registry) for kind in (Counter, Gauge, Histogram, Summary)}
    middleware._setup(SimpleNamespace(**kinds), bentomls("bentoml._internal.utils.metrics").DEFAULT_BUCKET)
    return middleware


def talk(app: Any) -> None:
    """What a client may do, with no made-up path."""
    client = TestClient(app)
    client.get("/v1/models")
    client.post("/v1/models")
    client.get("/health")
    client.get("/metrics")
    with client.websocket_connect("/v1/realtime") as websocket:
        websocket.send_text("hello")
        assert websocket.receive_text() == "hello"


def test_real_routes_have_the_series_that_bentoml_would_give_them(
    gate: Gate, context: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    instruments, registry = bentomls("bentoml._internal.server.http.instruments"), CollectorRegistry()
    monkeypatch.setattr(instruments, "server_context", instruments.server_context)  # put back at the end
    assert isinstance(gate.app, FastAPI)
    for path in ("/health", "/metrics"):
        gate.app.add_api_route(path, lambda: "there")
    talk(routed(bentomls_own(gate, context, registry), gate))
    talk(routed(RequestMetrics(gate, context), gate))
    theirs, ours = counted(context, registry), counted(context)
    assert ours.keys() == theirs.keys()
    assert len(ours) > 50
    exact = [series for series in ours if not series[0].endswith(("_seconds", "_seconds_sum", "_seconds_bucket"))]
    assert {series: ours[series] for series in exact} == {series: theirs[series] for series in exact}


def routed(app: Any, gate: Gate) -> Any:
    """As BentoML's application calls its middleware: the scope knows the routes."""

    async def call(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "app": gate}, receive, send)

    return call


async def test_time_out_is_counted_as_the_504_that_bentoml_answers(gate: Gate, context: SimpleNamespace) -> None:
    client = client_of(service_app(gate, context, traffic={"timeout": 0.05}))
    assert (await client.get("/slow")).status_code == 504
    await asyncio.sleep(0)  # it is cancelled, and not waited for
    assert by_endpoint(context) == {("/slow", "504"): 1}


async def test_seconds_are_those_of_the_clock_until_the_answers_end(context: SimpleNamespace) -> None:
    times_s = iter([10.0, 12.0])

    async def app(_scope: Any, _receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await send({"type": "http.response.body", "body": b"b"})

    async def send(_: Any) -> None: ...

    measured = RequestMetrics(app, context, clock=lambda: next(times_s))
    await measured({"type": "http", "path": "/a", "app": Gate()}, send, send)  # type: ignore[arg-type]
    assert [value for (name, _), value in counted(context).items() if name == "request_duration_seconds_sum"] == [2.0]


def test_path_below_vllms_root_path_is_its_route_too(gate: Gate) -> None:
    assert isinstance(gate.app, FastAPI)
    gate.app.root_path = "/llm"
    assert route_label("/llm/v1/models", gate.routes) == "/llm/v1/models"
    assert route_label("/v1/models", gate.routes) == "/v1/models"
    assert Gate().routes == []
