"""What BentoML counts of HTTP requests, and its page `/metrics`, with a label for each route instead of each path.

BentoML's own take whatever path a client sends: 3,000 made-up ones made a page of 10 MB that took seconds. No setting
changes that, so they are off, and these have their names, labels and buckets: a real route is called what it was.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, Summary
from prometheus_client import generate_latest as generate_page
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving.http.bodies import ASGIApp, Message, Receive, Scope, Send
from serving.http.route_labels import route_label

METRICS_PATH = "/metrics"
UNMATCHED = "unmatched"
"""Where a route would stand, if there is none for the path."""
PROBES = (METRICS_PATH, "/health", "/livez", "/readyz")
"""How paths begin that are no traffic."""
TIMED_OUT = 504
"""How BentoML answers what takes longer than its time-out; it does so outside of this, which is cancelled."""

SERVICE = ("service_name", "service_version", "runner_name")
ROUTE = ("endpoint", *SERVICE)
NAMESPACE = "bentoml_service"

REQUESTS = Counter("request", "Total number of runner RPC", [*ROUTE, "http_response_code"], namespace=NAMESPACE)
SECONDS = Histogram(
    "request_duration_seconds",
    "runner RPC duration in seconds",
    [*ROUTE, "http_response_code"],
    namespace=NAMESPACE,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 180),
)
IN_PROGRESS = Gauge(
    "request_in_progress",
    "Total number of runner RPC in progress now",
    ROUTE,
    namespace=NAMESPACE,
    multiprocess_mode="livesum",
)
LAST_REQUEST = Gauge(
    "last_request_timestamp_seconds", "Timestamp of the last received request", SERVICE, namespace=NAMESPACE
)
CONNECTIONS = Gauge(
    "websocket_connections",
    "Total number of websocket connections",
    ROUTE,
    namespace=NAMESPACE,
    multiprocess_mode="livesum",
)
RECEIVED_BYTES = Summary(
    "websocket_data_received", "Total number of bytes received from websocket", ROUTE, namespace=NAMESPACE
)
SENT_BYTES = Summary("websocket_data_sent", "Total number of bytes sent to websocket", ROUTE, namespace=NAMESPACE)


class Service(Protocol):
    """What `bentoml.server_context` knows once a worker has loaded its service."""

    bento_name: str
    bento_version: str
    service_name: str | None


class RequestMetrics:
    """Pure ASGI middleware for BentoML's application."""

    def __init__(self, app: ASGIApp, service: Service, clock: Callable[[], float] = time.perf_counter) -> None:
        self._app = app
        values = (service.bento_name, service.bento_version, service.service_name)
        self._service = dict(zip(SERVICE, values, strict=True))
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count one connection, but not those that read the counts."""
        if scope["type"] not in {"http", "websocket"} or scope["path"] == METRICS_PATH:
            return await self._app(scope, receive, send)
        if not scope["path"].startswith(PROBES):
            LAST_REQUEST.labels(**self._service).set_to_current_time()
        labels = {"endpoint": route_label(scope["path"], scope["app"].routes) or UNMATCHED, **self._service}
        count = self._count_request if scope["type"] == "http" else self._count_websocket
        with IN_PROGRESS.labels(**labels).track_inprogress():
            return await count(labels, scope, receive, send)

    async def _count_request(self, labels: Mapping[str, Any], scope: Scope, receive: Receive, send: Send) -> None:
        started_s = self._clock()
        status: int | None = None

        def count(code: int) -> None:
            REQUESTS.labels(**labels, http_response_code=code).inc()
            SECONDS.labels(**labels, http_response_code=code).observe(self._clock() - started_s)

        async def send_and_see(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            if message["type"] == "http.response.body" and not message.get("more_body") and status is not None:
                count(status)
            await send(message)

        try:
            await self._app(scope, receive, send_and_see)
        except asyncio.CancelledError:
            if status is None:
                count(TIMED_OUT)
            raise

    async def _count_websocket(self, labels: Mapping[str, Any], scope: Scope, receive: Receive, send: Send) -> None:
        connections = CONNECTIONS.labels(**labels)
        is_accepted = False

        async def receive_and_see() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive":
                RECEIVED_BYTES.labels(**labels).observe(_size(message))
            return message

        async def send_and_see(message: Message) -> None:
            nonlocal is_accepted
            if message["type"] == "websocket.accept":
                is_accepted = True
                connections.inc()
            elif message["type"] == "websocket.send":
                SENT_BYTES.labels(**labels).observe(_size(message))
            await send(message)

        try:
            await self._app(scope, receive_and_see, send_and_see)
        finally:
            if is_accepted:
                connections.dec()


def _size(message: Message) -> int:
    return len(message["text"] if message.get("bytes") is None else message["bytes"])


async def _answer_with_page(_: Request) -> Response:
    """Of all processes' families: those of the engine are on it too."""
    return Response(await run_in_threadpool(_read_page), media_type=CONTENT_TYPE_LATEST)


def _read_page() -> bytes:
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_page(registry)


metrics_page = Starlette(routes=[Route(METRICS_PATH, _answer_with_page)])
"""The application that is mounted beside vLLM's: its page can be read before and after that, too."""
