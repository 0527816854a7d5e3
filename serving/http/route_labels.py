"""What a path is called in a label of `/metrics`: as its route is written, never as a client has made it up.

Each new value of a label is another time series that the page holds for good, so no client may choose one.
"""

from collections.abc import Iterable, Iterator
from http import HTTPMethod

from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from serving.http.bodies import ASGIApp, Receive, Scope, Send, error_answer, path_of

METHODS = tuple(HTTPMethod)


def route_label(path: str, routes: Iterable[BaseRoute]) -> str | None:
    """The route of a path, with the names of its parameters (`/v1/responses/{response_id}`); None if there is none.

    Whether the route takes the request's method does not matter. A route without parameters goes before one with.
    """
    labels = list(_labels(path, routes))
    return path if path in labels else next(iter(labels), None)


def _labels(path: str, routes: Iterable[BaseRoute]) -> Iterator[str]:
    for route in routes:
        if not isinstance(route, (Route, WebSocketRoute, Mount)) or not (match := route.path_regex.match(path)):
            continue
        if isinstance(route, Mount) and route.routes:
            yield from (route.path + label for label in _labels(f"/{match['path'].lstrip('/')}", route.routes))
        elif route.path:  # what is mounted at the root, and shows no routes, says nothing of the path
            yield route.path


class BoundedLabels:
    """Pure ASGI middleware around vLLM's own metrics: their labels can hold nothing but what it lets through.

    They take a method as it comes, and the path itself where a route with an id would match but for a slash at the end
    (`/v1/responses/resp_1/`), which vLLM would answer with a redirection.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse an unknown method; take such a slash for not there."""
        if scope["type"] == "http":
            if scope["method"] not in METHODS:
                why = f"The method must be one of {', '.join(METHODS)}, but got {scope['method']!r}."
                return await error_answer(501, why)(scope, receive, send)
            if _has_slash_behind_an_id(path_of(scope), scope["app"].routes):
                scope = {**scope, "path": scope["path"].removesuffix("/")}
        return await self._app(scope, receive, send)


def _has_slash_behind_an_id(path: str, routes: Iterable[BaseRoute]) -> bool:
    if not path.endswith("/") or route_label(path, routes) is not None:
        return False
    shorter = path.removesuffix("/")
    return route_label(shorter, routes) not in {None, shorter}
