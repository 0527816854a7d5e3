"""`POST /rank`: what the served ranker says of a prompt, for a gateway or another server."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from registry.ranker import Prediction
from registry.request import UnrankableContent, render_messages
from serving.champion.served_rankers import NoRanker, ServedRanker
from serving.http.bodies import BodyTooLarge, error_answer
from serving.threads import DaemonThreads

logger = logging.getLogger(__name__)


class RankRequest(BaseModel):
    """Either a prompt or chat messages; `max_tokens` caps the predicted length's place.

    `model` is the name that a client would give; it matters where several target LLMs are served.
    """

    model_config = ConfigDict(extra="forbid")

    prompt: str | None = None
    messages: list[dict[str, Any]] | None = None
    max_tokens: int | None = Field(None, ge=1)
    model: str | None = None

    @model_validator(mode="after")
    def _check(self) -> "RankRequest":
        if (self.prompt is None) == (self.messages is None):
            raise ValueError("a request holds either `prompt` or `messages`")
        return self

    @property
    def text(self) -> str:
        """The text to rank."""
        return self.prompt if self.prompt is not None else render_messages(self.messages or [])


class RankRoute:
    """The route, and what it needs. Its thread is its own: asking for rankings alone holds up no request."""

    def __init__(
        self,
        ranker_of: Callable[[str | None], ServedRanker | None] | None,
        is_authorised: Callable[[Headers], bool],
        limit_s: float,
    ) -> None:
        """`ranker_of` a model; None if ranking is off. A ranking that would take longer than `limit_s` is a 503."""
        self._ranker_of = ranker_of
        self._is_authorised = is_authorised
        self._limit_s = limit_s
        self._thread = DaemonThreads(1, "rank")
        self._num_asked = 0

    async def rank(self, request: Request) -> Response:
        """Answer with the prediction, or with a 4xx that says what is wrong, or with 503 if the ranker can't answer."""
        if not self._is_authorised(request.headers):
            return error_answer(401, "Unauthorized: send one of the server's API keys as a bearer token.")
        if self._ranker_of is None:
            return error_answer(503, "Ranking is off on this server.")
        try:
            asked = RankRequest.model_validate_json(await request.body())
            ranker = self._ranker_of(asked.model)
            if ranker is None:
                return error_answer(404, "`model` must be a name in PARS_RANKERS, but this one has no ranker.")
            text = asked.text
        except NoRanker as error:
            return error_answer(503, str(error))
        except BodyTooLarge as error:
            return error_answer(413, error.detail)
        except ValidationError as error:
            return error_answer(400, f"The body is not a request to rank: {_sentences(error)}.")
        except UnrankableContent as error:
            return error_answer(400, str(error))
        except (TypeError, KeyError, AttributeError):
            return error_answer(400, "`messages` must be chat messages, each with a `role` and a `content`.")
        return await self._answer(ranker, text, asked.max_tokens)

    async def _answer(self, ranker: ServedRanker, text: str, max_tokens: int | None) -> Response:
        refusal = self._thread.refusal(self._num_asked, self._limit_s)
        if refusal is not None:
            return error_answer(503, f"The ranker is {refusal}: ask again later.")
        try:
            prediction = await self._wait_for(self._thread.submit(ranker.predict, text, max_tokens))
        except TimeoutError:
            return error_answer(503, f"The ranker has not answered within {self._limit_s:g} s: ask again later.")
        except UnrankableContent as error:
            return error_answer(400, str(error))
        except Exception as error:  # the ranker's, whatever it is: the body was fine
            logger.error("/rank could not be answered: %s.", type(error).__name__)  # its words could quote the prompt
            return error_answer(503, f"The ranker has failed ({type(error).__name__}): ask again later.")
        return JSONResponse(
            {
                "score": prediction.score,
                "predicted_tokens": prediction.predicted_tokens,
                "quantile": prediction.quantile,
                "ranker_version": ranker.version,
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
