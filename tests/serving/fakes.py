"""Hand-written stand-ins for a ranker and an engine whose time is in the test's hands."""

import threading
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, NoReturn

from registry.ranker import Prediction
from serving.champion.engine_rankers import Targets
from serving.ranking.holding_queue import Ranking
from serving.ranking.load import EngineLoad
from serving.ranking.place_finder import Rankings


@dataclass
class FakeRanker:
    """Says one tenth of a quantile for each word; can be made to hang, raise, be slow, or note what it is asked."""

    error: Exception | None = None
    seconds: float = 0
    may_go_on: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.may_go_on.set()

    def predict(self, prompt: str, cap_tokens: float | None = None) -> Prediction:
        self.asked.append(prompt)
        assert self.may_go_on.wait(10)
        time.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        num_words = len(prompt.split())
        capped = num_words if cap_tokens is None else min(num_words, cap_tokens)
        return Prediction(score=num_words, predicted_tokens=num_words, quantile=capped / 10)

    def median_quantile(self, cap_tokens: float | None = None) -> float:
        return 0.5 if cap_tokens is None else min(0.5, cap_tokens / 10)


def only(ranking: Ranking, load: EngineLoad) -> Rankings:
    """One ranking for whatever model is asked for."""
    return Rankings(Targets({"demo-llm": _not_asked}, {}, "demo-llm"), load, {"demo-llm": ranking})


def _not_asked() -> NoReturn:
    raise AssertionError("the ranking has a ranker of its own")


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
