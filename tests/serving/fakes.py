"""Hand-written stand-ins for a ranker and an engine whose time is in the test's hands."""

import threading
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace
from typing import Any, cast

from registry.ranker import Prediction
from serving.champion.ranker_sources import Champion
from serving.champion.served_rankers import EngineRankers
from serving.config import Settings
from serving.ranking.holding_queue import HoldingQueue, Predictor
from serving.ranking.load import EngineLoad, Seat
from serving.ranking.place_finder import PlaceFinder
from serving.ranking.prioritiser import PriorityPolicy
from serving.request_stages import ANY_SIZE, Place, Size


@dataclass
class FakeRanker:
    """Says one tenth of a quantile for each word; can be made to hang, raise, be slow, or note what it is asked."""

    error: Exception | None = None
    seconds: float = 0
    may_go_on: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.may_go_on.set()

    def predict(self, prompt: str, size: Size = ANY_SIZE) -> Prediction:
        self.asked.append(prompt)
        assert self.may_go_on.wait(10)
        time.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        num_words = len(prompt.split())
        capped = num_words if size.cap_tokens is None else min(num_words, size.cap_tokens)
        return Prediction(score=num_words, predicted_tokens=num_words, quantile=capped / 10)

    def median_quantile(self, size: Size = ANY_SIZE) -> float:
        return 0.5 if size.cap_tokens is None else min(0.5, size.cap_tokens / 10)


class KeptSeats(HoldingQueue):
    """A holding queue as the choke point uses it, but that a seat once taken is kept: requests stay in the engine."""

    def __init__(
        self,
        ranker: Callable[[], Predictor],
        load: EngineLoad,
        budget_s: float = 0.05,
        backlog_s: float = 2.0,
        num_threads: int = 1,
    ) -> None:
        super().__init__(
            ranker, load, target_llm="demo-llm", budget_s=budget_s, backlog_s=backlog_s, num_threads=num_threads
        )

    async def find_place(
        self, text: str, cap_tokens: float | None, seat: Seat | None = None, num_sequences: int = 1
    ) -> Place:
        seat = seat or Seat(self._load, num_sequences)
        try:
            place = await super().find_place(text, Size(cap_tokens), seat)
        except BaseException:
            seat.leave()
            raise
        seat.take()
        return place


def only(queue: HoldingQueue) -> PlaceFinder:
    """One queue for whatever model is asked for."""
    return PlaceFinder(EngineRankers({"demo-llm": NotAsked()}, {}, "demo-llm"), {"demo-llm": queue})


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
