"""Hand-written stand-ins for a ranker and an engine whose time is in the test's hands."""

import threading
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast

from registry.ranker import Prediction, Tier
from registry.request import Text
from registry.request_features import Readable, RequestView, as_view
from serving.api_bodies import request_view
from serving.arrival_clock import ArrivalClock
from serving.champion.ranker_sources import Champion
from serving.champion.served_rankers import EngineRankers
from serving.config import Settings
from serving.correction.corrections import Corrections
from serving.ranking.admission import Admissions, PriorityPolicy
from serving.ranking.encoder_queue import EncoderQueue, Predictor
from serving.ranking.load import EngineLoad, Seat
from serving.ranking.place_finder import PlaceFinder
from serving.ranking.ranking_failures import Failures
from serving.request_stages import ANY_SIZE, EngineRequest, HttpRequest, Place, RankerName, Size

DEMO_NAME = RankerName("models:/pars-demo-llm/1", "0" * 64)


@dataclass
class FakeRanker:
    """Says one tenth of a quantile for each word; can be made to hang, raise, be slow, or note what it is asked.

    Its instant tier, if it has one, says a twentieth, is asked in the event loop, and fails only with its own error.
    """

    error: Exception | None = None
    seconds: float = 0
    has_instant: bool = False
    name: RankerName = DEMO_NAME
    target_llm: str = "demo-llm"
    instant_error: Exception | None = None
    may_go_on: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)
    views: list[RequestView] = field(default_factory=list)
    """What it was asked, of either tier."""
    remembered: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.may_go_on.set()

    @property
    def card(self) -> SimpleNamespace:
        return SimpleNamespace(target_llm=self.target_llm)

    def predict(self, request: Readable, size: Size = ANY_SIZE, tier: Tier = "encoder") -> Prediction:
        view = as_view(request)
        self.views.append(view)
        prompt = view.text
        if tier == "instant":
            assert threading.current_thread() is threading.main_thread()
            return self._said(len(prompt.split()) / 2, size, self.instant_error)
        self.asked.append(prompt)
        assert self.may_go_on.wait(10)
        time.sleep(self.seconds)
        return self._said(len(prompt.split()), size, self.error)

    def known(self, request: Readable, size: Size = ANY_SIZE) -> Prediction | None:
        tokens = self.remembered.get(as_view(request).text)
        return None if tokens is None else self._said(tokens, size, None)

    def _said(self, tokens: float, size: Size, error: Exception | None) -> Prediction:
        if error is not None:
            raise error
        corrected = tokens * size.correction
        capped = corrected if size.cap_tokens is None else min(corrected, size.cap_tokens)
        return Prediction(score=tokens, predicted_tokens=tokens, quantile=min(capped / 10, 1.0))

    def median_quantile(self, size: Size = ANY_SIZE) -> float:
        return 0.5 if size.cap_tokens is None else min(0.5, size.cap_tokens / 10)


class KeptSeats:
    """The way of one target LLM's requests to their places; a seat once taken is kept: requests stay in the engine."""

    def __init__(
        self, ranker: Callable[[], Predictor], load: EngineLoad, backlog_s: float = 2.0, num_threads: int = 1
    ) -> None:
        self.backlog_s = backlog_s
        self._load = load
        self.finder = only(ranker, backlog_s, num_threads)
        self._admissions = Admissions(make_policy(ranking_backlog_ms=backlog_s * 1000), load, self.finder)
        self._clock = ArrivalClock()

    async def find_place(
        self, text: str, cap_tokens: float | None, seat: Seat | None = None, num_sequences: int = 1
    ) -> Place:
        seat = seat or Seat(self._load, num_sequences)
        try:
            return await self._admissions.placed(
                self.finder, HttpRequest(self._clock), engine_request(text, cap_tokens), seat
            )
        except BaseException:
            seat.leave()
            raise

    def close(self) -> None:
        self.finder.close()


def engine_request(text: Text, cap_tokens: float | None = None, model: str | None = None) -> EngineRequest:
    return EngineRequest(
        model,
        request_view(text, {}, reads_cap=True),
        Size(cap_tokens),
        num_sequences=1,
        client_priority=0,
        trace_headers=None,
    )


def only(
    ranker: Callable[[], Predictor],
    backlog_s: float = 2.0,
    num_threads: int = 1,
    corrections: Corrections | None = None,
) -> PlaceFinder:
    """One ranker for whatever model is asked for."""
    queue = EncoderQueue(ranker, Failures("demo-llm"), limit_s=backlog_s, num_threads=num_threads)
    return PlaceFinder(EngineRankers({"demo-llm": NotAsked()}, {}, "demo-llm"), {"demo-llm": queue}, corrections)


async def place_of(finder: PlaceFinder, request: EngineRequest) -> Place:
    """The place that a request gets before an engine that has nothing to do."""
    load = EngineLoad(max_num_seqs=4)
    admissions = Admissions(make_policy(), load, finder)
    return await admissions.placed(finder, HttpRequest(ArrivalClock()), request, Seat(load, 1))


def make_policy(**changes: Any) -> PriorityPolicy:
    """The policy of the settings' defaults, but for some fields."""
    return replace(PriorityPolicy.of(Settings.model_construct()), **changes)


class NotAsked:
    """Follows a champion that is there but is not to be asked: the queue has a ranker of its own."""

    @property
    def champion(self) -> Champion:
        return cast(Champion, object())


@dataclass
class FakeEngine:
    """Notes what it is asked, and answers with two outputs."""

    outputs: tuple[Any, Any] = ("first", "second")
    asked: list[dict[str, Any]] = field(default_factory=list)
    is_closed: bool = False

    async def generate(
        self, prompt: object, sampling_params: object, request_id: str, **others: Any
    ) -> AsyncGenerator[Any, None]:
        assert sampling_params is not None
        self.asked.append({"prompt": prompt, "request_id": request_id, **others})
        try:
            for output in self.outputs:
                yield output
        finally:
            self.is_closed = True
