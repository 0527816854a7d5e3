"""A middleware for tests of plain vLLM: answers say which priority came with the request (`X-Seen-Priority`)."""

from typing import Any


class HeaderSpy:
    """Stands inside of what it looks at: name it first, since vLLM puts the last one outside."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        seen = [value for name, value in scope.get("headers", ()) if name == b"x-vllm-priority"]

        async def send_seen(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *((b"x-seen-priority", value) for value in seen)]
            await send(message)

        await self._app(scope, receive, send_seen)
