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
        """Answer with the state of each target LLM."""
        if not self._is_authorised(request.headers):
            return error_answer(401, "Unauthorized: send one of the server's API keys as a bearer token.")
        return JSONResponse({"ranking": "off" if self._rankers is None else "on", "target_llms": self._states()})

    def _states(self) -> dict[str, Mapping[str, Any]]:
        if self._rankers is None:
            return {}
        return {target_llm: self._rankers.state(target_llm) for target_llm in self._rankers.target_llms}
