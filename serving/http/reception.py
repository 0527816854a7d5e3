"""Where each POST request of plain vLLM comes in: it is refused, or goes on with a header that carries its priority."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

from starlette.datastructures import Headers

from registry.request import UnrankableContent
from serving.http.bodies import (
    ASGIApp,
    BodyLimit,
    BodyTooLarge,
    ClientLeft,
    Receive,
    Scope,
    Send,
    error_answer,
    path_of,
    read_body,
    replay,
)
from serving.http.engine_requests import requests_written
from serving.http.header_routes import (
    PRIORITY_HEADER,
    objection_to_body,
    objection_to_route,
    reads_the_header,
    without_priority,
)
from serving.ranking.prioritiser import Prioritiser
from serving.request_stages import EngineRequest, HttpRequest


class Reception:
    """Stands before vLLM's application. A list of prompts shares one header, so it goes where its longest belongs."""

    def __init__(
        self,
        app: ASGIApp,
        prioritiser: Prioritiser,
        is_authorised: Callable[[Headers], bool],
        max_body_bytes: int,
    ) -> None:
        self._app = app
        self._prioritiser = prioritiser
        self._is_authorised = is_authorised
        self._max_body_bytes = max_body_bytes

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See to one request."""
        path = path_of(scope)
        if (objection := objection_to_route(path)) is not None:
            return await error_answer(400, objection)(scope, receive, send)
        try:
            raw = await read_body(receive, BodyLimit(scope, self._max_body_bytes))
        except BodyTooLarge as error:
            return await error_answer(413, error.detail)(scope, receive, send)
        except ClientLeft:
            return None
        whole = replay({"type": "http.request", "body": raw, "more_body": False}, receive)
        if not reads_the_header(path):
            return await self._app(scope, whole, send)
        body = _parse(raw)
        if (objection := objection_to_body(body)) is not None:
            return await error_answer(400, objection)(scope, receive, send)
        return await self._prioritise(path, body, scope, whole, send)

    async def _prioritise(self, path: str, body: Any, scope: Scope, receive: Receive, send: Send) -> None:
        http_request = HttpRequest(self._prioritiser.clock)
        _ = http_request.arrival_us  # stamped now that the body is complete
        requests = self._requests(path, body, Headers(scope=scope))
        async with AsyncExitStack() as admitted:  # where one fails, those that were admitted are counted out
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(admitted.enter_async_context(self._prioritiser.admitted(http_request, request)))
                    for request in requests
                ]
            longest = max(task.result().priority for task in tasks)
            await self._app(_with_priority(scope, longest), receive, send)

    def _requests(self, path: str, body: Any, headers: Headers) -> list[EngineRequest]:
        caps = self._prioritiser.policy.cap_by_max_tokens
        if self._is_authorised(headers):
            return requests_written(path, body, headers, caps)
        (nothing,) = requests_written(path, None, headers, caps)  # vLLM refuses it; its body must cost nothing
        return [replace(nothing, text=UnrankableContent("unauthorised"))]


def _parse(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):  # vLLM says what is wrong with it
        return None


def _with_priority(scope: Scope, priority: int) -> Scope:
    return {**scope, "headers": [*without_priority(scope["headers"]), (PRIORITY_HEADER, str(priority).encode())]}
