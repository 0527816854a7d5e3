"""`POST /rank`: what the served ranker says of a prompt, for a gateway or another server."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from registry.prompts import UnrankableContent, render_messages
from registry.ranker import Prediction
from serving.reload import Champion
from serving.threads import DaemonThreads


class RankRequest(BaseModel):
    """Either a prompt or chat messages; `max_tokens` caps the predicted length's place."""

    model_config = ConfigDict(extra="forbid")

    prompt: str | None = None
    messages: list[dict[str, Any]] | None = None
    max_tokens: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _check(self) -> "RankRequest":
        if (self.prompt is None) == (self.messages is None):
            raise ValueError("a request holds either `prompt` or `messages`")
        return self

    @property
    def text(self) -> str:
        """The text to rank."""
        return self.prompt if self.prompt is not None else render_messages(self.messages or [])


class BodyTooLarge(ValueError):
    """The body is longer than the limit; the rest of it is not read."""


class RankEndpoint:
    """The route, and what it needs. Its thread is its own: asking for rankings alone holds up no request."""

    def __init__(
        self,
        champion: Callable[[], Champion] | None,
        is_authorised: Callable[[Headers], bool],
        max_body_bytes: int,
        limit_s: float,
    ) -> None:
        """With no `champion`, ranking is off. A ranking that would take longer than `limit_s` is a 503."""
        self._champion = champion
        self._is_authorised = is_authorised
        self._max_body_bytes = max_body_bytes
        self._limit_s = limit_s
        self._thread = DaemonThreads(1, "rank")
        self._num_asked = 0

    async def rank(self, request: Request) -> Response:
        """Answer with the prediction, or with a 4xx that says what is wrong, or with 503 if the ranker can't answer."""
        if not self._is_authorised(request.headers):
            return _error(401, "Unauthorized: send one of the server's API keys as a bearer token.")
        if self._champion is None:
            return _error(503, "Ranking is off on this server.")
        try:
            asked = RankRequest.model_validate_json(await self._read(request))
            return await self._answer(self._champion(), asked)
        except BodyTooLarge as error:
            return _error(413, str(error))
        except ValidationError as error:
            return _error(400, f"The body is not a request to rank: {_sentences(error)}.")
        except UnrankableContent as error:
            return _error(400, str(error))
        except (TypeError, KeyError, AttributeError):
            return _error(400, "`messages` must be chat messages, each with a `role` and a `content`.")

    async def _read(self, request: Request) -> bytes:
        """The body, which is no longer read once it is too long."""
        body = bytearray()
        announced = request.headers.get("content-length", "0")
        self._check_size(int(announced) if announced.isdecimal() else 0)
        async for chunk in request.stream():
            body += chunk
            self._check_size(len(body))
        return bytes(body)

    def _check_size(self, num_bytes: int) -> None:
        if num_bytes > self._max_body_bytes:
            raise BodyTooLarge(
                f"A body to rank holds at most {self._max_body_bytes} bytes, but this one has {num_bytes} or more;"
                " send less, or raise PARS_MAX_BODY_BYTES."
            )

    async def _answer(self, champion: Champion, asked: RankRequest) -> Response:
        refusal = self._thread.refusal(self._num_asked, self._limit_s)
        if refusal is not None:
            return _error(503, f"The ranker is {refusal}: ask again later.")
        try:
            prediction = await self._wait_for(
                self._thread.submit(champion.ranker.predict, asked.text, asked.max_tokens)
            )
        except TimeoutError:
            return _error(503, f"The ranker has not answered within {self._limit_s:g} s: ask again later.")
        return JSONResponse(
            {
                "score": prediction.score,
                "predicted_tokens": prediction.predicted_tokens,
                "quantile": prediction.quantile,
                "ranker_version": champion.version,
            }
        )

    async def _wait_for(self, job: Future[Prediction]) -> Prediction:
        self._num_asked += 1
        try:
            return await asyncio.wait_for(asyncio.wrap_future(job), self._limit_s)
        finally:
            self._num_asked -= 1


def _sentences(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'body'}: {one['msg']}" for one in error.errors())


def _error(status: int, message: str) -> Response:
    kind = HTTPStatus(status).phrase
    return JSONResponse({"error": {"message": message, "type": kind, "code": status}}, status_code=status)
