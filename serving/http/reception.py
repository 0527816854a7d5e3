"""Where each POST request of plain vLLM comes in: it is refused, or goes on with a header that carries its priority."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

from starlette.datastructures import Headers

from registry.request import TOO_LARGE, UnrankableContent
from serving.api_bodies import conversations_of, parsed
from serving.http.api_key import credential_of
from serving.http.beam_search_watch import refusing_beam_search
from serving.http.bodies import (
    ASGIApp,
    ClientLeft,
    ReadBody,
    Receive,
    Scope,
    Send,
    error_answer,
    path_of,
    read_body,
    replay,
)
from serving.http.engine_requests import request_without_body, requests_written
from serving.http.header_routes import (
    PRIORITY_HEADER,
    objection_to_body,
    objection_to_route,
    reads_the_header,
    without_priority,
)
from serving.ranking.prioritiser import Prioritiser
from serving.request_stages import ANY_SIZE, EngineRequest, HttpRequest, Size, as_current


class Reception:
    """Stands before vLLM's application. A list of prompts shares one header, so it goes where its longest belongs.

    A body that is larger than what is read of one arrives, and has its place, when that shows; then it is passed on.
    """

    def __init__(
        self,
        app: ASGIApp,
        prioritiser: Prioritiser,
        is_authorised: Callable[[Headers], bool],
        *,
        max_body_bytes: int,
        most_prompts: int,
    ) -> None:
        self._app = app
        self._prioritiser = prioritiser
        self._is_authorised = is_authorised
        self._max_body_bytes = max_body_bytes
        self._most_prompts = most_prompts

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See to one request."""
        path = path_of(scope)
        if (objection := objection_to_route(path)) is not None:
            return await error_answer(400, objection)(scope, receive, send)
        if not reads_the_header(path):
            return await self._app(scope, receive, send)
        try:
            body = await read_body(scope, receive, self._max_body_bytes)
        except ClientLeft:
            return None
        return await self._admit(path, body, scope, replay(body.message, receive), send)

    async def _admit(self, path: str, body: ReadBody, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        try:
            content = self._content(body, headers)
        except UnrankableContent as reason:  # whatever it asks for, it costs no more than its headers
            unread = refusing_beam_search(receive)
            request = request_without_body(headers, reason, self._unread_size(body, reason))
            return await self._prioritise(None, [request], scope, unread, send)
        if (objection := objection_to_body(content)) is not None:
            return await error_answer(400, objection)(scope, receive, send)
        caps = self._prioritiser.policy.cap_by_max_tokens
        requests = requests_written(path, content, headers, caps=caps, most_prompts=self._most_prompts)
        return await self._prioritise(content, requests, scope, receive, send)

    def _content(self, body: ReadBody, headers: Headers) -> Any:
        if not self._is_authorised(headers):
            raise UnrankableContent("unauthorised")
        if body.is_too_large:
            raise UnrankableContent(TOO_LARGE)
        return parsed(body.raw)

    def _unread_size(self, body: ReadBody, reason: UnrankableContent) -> Size:
        """Of a body that is too large to be read: as if all of it that may be read were text, so that none gains."""
        if reason.reason != TOO_LARGE:
            return ANY_SIZE
        return Size(characters=self._max_body_bytes if body.is_too_large else len(body.raw))

    async def _prioritise(
        self, body: Any, requests: list[EngineRequest], scope: Scope, receive: Receive, send: Send
    ) -> None:
        http_request = HttpRequest(self._prioritiser.clock, path_of(scope))
        http_request.body = body
        http_request.credential = credential_of(Headers(scope=scope))
        with suppress(Exception):  # a body in a form that nobody expected has no chat
            http_request.conversation = next(iter(conversations_of(http_request.path, body) or ()), None)
        _ = http_request.arrival_us  # stamped now that the body is complete, or too large
        async with AsyncExitStack() as admitted:  # where one fails, those that were admitted are counted out
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(admitted.enter_async_context(self._prioritiser.admitted(http_request, request)))
                    for request in requests
                ]
            longest = max(task.result().priority for task in tasks)
            with as_current(http_request):
                await self._app(_with_priority(scope, longest), receive, send)


def _with_priority(scope: Scope, priority: int) -> Scope:
    return {**scope, "headers": [*without_priority(scope["headers"]), (PRIORITY_HEADER, str(priority).encode())]}
