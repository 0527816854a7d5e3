"""`POST /rank`: what the served ranker says of a prompt, for a gateway or another server."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from json import JSONDecodeError
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from registry.prompts import UnrankableContent, render_messages
from serving.reload import Champion


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


class RankEndpoint:
    """The route, and what it needs."""

    def __init__(self, champion: Callable[[], Champion] | None, is_authorised: Callable[[Headers], bool]) -> None:
        """With no `champion`, ranking is off."""
        self._champion = champion
        self._is_authorised = is_authorised

    async def rank(self, request: Request) -> Response:
        """Answer with the prediction, or with a 4xx that says what is wrong."""
        if not self._is_authorised(request.headers):
            return _error(401, "Unauthorized: send one of the server's API keys as a bearer token.")
        if self._champion is None:
            return _error(503, "Ranking is off on this server.")
        try:
            asked = RankRequest.model_validate(await request.json())
            return await self._answer(self._champion(), asked)
        except (JSONDecodeError, UnicodeDecodeError) as error:
            return _error(400, f"The body must be JSON, but it does not parse: {error}.")
        except ValidationError as error:
            return _error(400, f"The body is not a request to rank: {_sentences(error)}.")
        except UnrankableContent as error:
            return _error(400, str(error))
        except (TypeError, KeyError, AttributeError):
            return _error(400, "`messages` must be chat messages, each with a `role` and a `content`.")

    async def _answer(self, champion: Champion, asked: RankRequest) -> Response:
        prediction = await asyncio.to_thread(champion.ranker.predict, asked.text, asked.max_tokens)
        return JSONResponse(
            {
                "score": prediction.score,
                "predicted_tokens": prediction.predicted_tokens,
                "quantile": prediction.quantile,
                "ranker_version": champion.version,
            }
        )


def _sentences(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'body'}: {one['msg']}" for one in error.errors())


def _error(status: int, message: str) -> Response:
    kind = HTTPStatus(status).phrase
    return JSONResponse({"error": {"message": message, "type": kind, "code": status}}, status_code=status)
