"""`POST /rank`: what the served ranker says of a prompt, for a gateway or another server."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import asdict

from pydantic import ValidationError
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from registry.ranker import Prediction, Tier
from registry.request import UnrankableContent
from registry.request_features import RequestView
from serving.api_bodies import MOST_VALUES, has_too_many_values, view_in_body
from serving.champion.served_rankers import NoRanker, ServedRanker
from serving.correction.corrections import Corrections
from serving.http.api_key import credential_of
from serving.http.bodies import ClientLeft, error_answer, read_body
from serving.rank_bodies import RankAnswer, RankRequest
from serving.request_stages import Size
from serving.threads import DaemonThreads

logger = logging.getLogger(__name__)

TOO_LARGE_TO_RANK = (
    "A body to rank holds at most %d bytes and %d values, but this one has more: send less, or raise"
    " PARS_MAX_BODY_BYTES; an engine's own request of such a size takes the place of a long one."
)

NO_INSTANT_TIER = (
    "`tier` must be encoder, since the ranker has no instant tier that is used (`GET /ranking` says why), but this one"
    " is instant."
)


class RankRoute:
    """The route, and what it needs. Its thread is its own: asking for rankings alone holds up no request."""

    def __init__(
        self,
        ranker_of: Callable[[str | None], ServedRanker | None] | None,
        is_authorised: Callable[[Headers], bool],
        limit_s: float,
        max_body_bytes: int,
        has_caps: bool = True,
        corrections: Corrections | None = None,
    ) -> None:
        """Set up the route.

        Args:
            ranker_of: a model; None if ranking is off.
            is_authorised: whether a request with these headers may ask.
            limit_s: where the encoder takes longer the instant tier answers; where that may not, it is a 503.
            max_body_bytes: a larger body is a 413: there is nothing behind this route that it could be passed on to.
            has_caps: whether a limit of tokens caps the place, and is read by rankers at all.
            corrections: what answers have said of the predictions lately; nothing is corrected without.
        """
        self._ranker_of = ranker_of
        self._is_authorised = is_authorised
        self._limit_s = limit_s
        self._max_body_bytes = max_body_bytes
        self._has_caps = has_caps
        self._corrections = corrections or Corrections(None)
        self._thread = DaemonThreads(1, "rank")

    async def rank(self, request: Request) -> Response:
        """Answer with the prediction and its tier, with a 4xx that says what is wrong, or with 503 if no tier can."""
        if not self._is_authorised(request.headers):
            return error_answer(401, "Unauthorized: send one of the server's API keys as a bearer token.")
        if self._ranker_of is None:
            return error_answer(503, "Ranking is off on this server.")
        try:
            body = await read_body(request.scope, request.receive, self._max_body_bytes)
        except ClientLeft:
            return Response()
        if body.is_too_large or has_too_many_values(body.raw):
            return error_answer(413, TOO_LARGE_TO_RANK % (self._max_body_bytes, MOST_VALUES))
        try:
            asked = RankRequest.model_validate_json(body.raw)
            ranker = self._ranker_of(asked.model)
            if ranker is None:
                return error_answer(404, "`model` must be a name in PARS_RANKERS, but this one has no ranker.")
            view = view_in_body(asked.text, asked.params, reads_cap=self._has_caps)
        except NoRanker as error:
            return error_answer(503, str(error))
        except ValidationError as error:
            return error_answer(400, f"The body is not a request to rank: {_sentences(error)}.")
        except UnrankableContent as error:
            return error_answer(400, str(error))
        except Exception:  # whatever it is over: no client gets our traceback
            return error_answer(400, "`messages` must be chat messages, each with a `role` and a `content`.")
        return await self._answer(ranker, view, asked, credential_of(request.headers))

    async def _answer(self, ranker: ServedRanker, view: RequestView, asked: RankRequest, credential: str) -> Response:
        if asked.tier == "instant" and not ranker.has_instant:
            return error_answer(400, NO_INSTANT_TIER)
        try:
            size = self._size(ranker, view, asked, credential)
            tier, prediction = await self._prediction(ranker, view, size, asked.tier)
        except TimeoutError as error:
            return error_answer(503, f"The ranker {error}: ask again later.")
        except UnrankableContent as error:
            return error_answer(400, str(error))
        except Exception as error:  # the ranker's, whatever it is: the body was fine
            logger.error("/rank could not be answered: %s.", type(error).__name__)  # its words could quote the prompt
            return error_answer(503, f"The ranker has failed ({type(error).__name__}): ask again later.")
        answer = RankAnswer(
            **asdict(prediction),
            correction=size.correction,
            order_by="length" if prediction.work_s is None else "work",
            tier=tier,
            ranker_version=ranker.version,
        )
        return JSONResponse(asdict(answer))

    def _size(self, ranker: ServedRanker, view: RequestView, asked: RankRequest, credential: str) -> Size:
        origin = self._corrections.origin(credential, asked.messages, view)
        correction = self._corrections.factor(ranker.target_llm, ranker.name.digest, origin)
        cap_tokens = asked.cap_tokens if self._has_caps else None
        return Size(cap_tokens, characters=len(view.text), correction=correction)

    async def _prediction(
        self, ranker: ServedRanker, view: RequestView, size: Size, asked: Tier | None
    ) -> tuple[Tier, Prediction]:
        if asked != "instant":
            try:
                return "encoder", await self._read(ranker, view, size)
            except TimeoutError:
                if asked == "encoder" or not ranker.has_instant:
                    raise
        return "instant", ranker.predict(view, size, "instant")

    async def _read(self, ranker: ServedRanker, view: RequestView, size: Size) -> Prediction:
        if (known := ranker.known(view, size)) is not None:
            return known
        if self._thread.is_hanging(self._limit_s):
            raise TimeoutError("is hanging")
        job = self._thread.submit(ranker.predict, view, size)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(job), self._limit_s)
        except TimeoutError:
            raise TimeoutError(f"has not answered within {self._limit_s:g} s") from None


def _sentences(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'body'}: {one['msg']}" for one in error.errors())
