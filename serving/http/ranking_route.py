"""`GET /ranking`: how requests are ranked now, in more words than a readiness probe has."""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from serving.champion.served_rankers import EngineRankers
from serving.http.bodies import error_answer


class RankingRoute:
    """The route. It asks for an API key where the server has one, as `/rank` does."""

    def __init__(self, rankers: EngineRankers | None, is_authorised: Callable[[Headers], bool]) -> None:
        """`rankers` is None if ranking is off."""
        self._rankers = rankers
        self._is_authorised = is_authorised

    async def show(self, request: Request) -> Response:
        """Answer with what the queue is ordered by, and the state of each target LLM."""
        if not self._is_authorised(request.headers):
            return error_answer(401, "Unauthorized: send one of the server's API keys as a bearer token.")
        if self._rankers is None:
            return JSONResponse({"ranking": "off", "target_llms": {}})
        return JSONResponse({"ranking": "on", **self._rankers.order_state, "target_llms": self._states(self._rankers)})

    def _states(self, rankers: EngineRankers) -> dict[str, Mapping[str, Any]]:
        return {target_llm: rankers.state(target_llm) for target_llm in rankers.target_llms}
