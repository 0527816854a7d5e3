"""What happens to requests before an engine has them: taken in and ranked, one after the other. Pure."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.simulation.cost import StepCost
from benchmarks.simulation.requests import EngineRequest
from serving.priority import MICROSECONDS, priority

Seconds = npt.NDArray[np.float64]
MEDIAN = 0.5


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Requests in the order in which they are sent."""

    sent_s: Seconds
    prompt_tokens: npt.NDArray[np.int64]
    output_tokens: npt.NDArray[np.int64]
    token_ids: tuple[tuple[int, ...], ...] | None = None
    """The prompts, where prefixes shall be cached."""

    def __len__(self) -> int:
        return len(self.sent_s)


@dataclass(frozen=True, kw_only=True)
class Order:
    """Where requests stand in the queue."""

    quantiles: Seconds | None = None
    """Place of each request among all answers, 0 the shortest to 1 the longest; None is first come, first served."""
    patience_s: float = 120.0
    """How much later a request may arrive and still overtake."""
    is_ranked: bool = False
    """Whether finding the place takes the time of a ranking; the truth is known at once."""


def take_in(
    sent_s: Seconds, cost: StepCost, is_ranked: bool, backlog_s: float
) -> tuple[Seconds, npt.NDArray[np.bool_]]:
    """When the engine can have each request, and whether it has a place by then or goes on with the median.

    Two queues of one server each: requests are taken in, then ranked. One that would be held for longer than the
    backlog budget is not ranked at all and goes on at once, as the service does when it is overloaded. The shorter
    budget, for an engine with room, is not simulated: it lets through no more requests than the engine has room for.
    """
    ready_s, has_place = np.empty(len(sent_s)), np.ones(len(sent_s), dtype=np.bool_)
    taken_in_s = ranked_s = 0.0
    for index, sent in enumerate(sent_s):
        taken_in_s = max(sent, taken_in_s) + cost.intake_s
        ready_s[index] = taken_in_s
        if not is_ranked:
            continue
        done_s = max(taken_in_s, ranked_s) + cost.ranking_s
        if done_s - taken_in_s > backlog_s:
            has_place[index] = False
        else:
            ready_s[index] = ranked_s = done_s
    return ready_s, has_place


def engine_requests(
    traffic: Traffic, order: Order, ready_s: Seconds, has_place: npt.NDArray[np.bool_]
) -> list[EngineRequest]:
    """Requests as the engine gets them, with the priority that the service would give them; in order of sending."""
    arrivals_us = _stamps_us(traffic.sent_s)
    patience_s = 0.0 if order.quantiles is None else order.patience_s
    quantiles = np.zeros(len(traffic)) if order.quantiles is None else np.where(has_place, order.quantiles, MEDIAN)
    return [
        EngineRequest(
            number=index,
            ready_s=float(ready_s[index]),
            priority=priority(int(arrivals_us[index]), patience_s, float(quantiles[index])),
            arrival_s=float(traffic.sent_s[index]),
            prompt_tokens=int(traffic.prompt_tokens[index]),
            output_tokens=int(traffic.output_tokens[index]),
            token_ids=traffic.token_ids[index] if traffic.token_ids else None,
        )
        for index in range(len(traffic))
    ]


def _stamps_us(sent_s: Seconds) -> npt.NDArray[np.int64]:
    """Arrivals in whole microseconds above 0, each later than the one before, as the service stamps them."""
    places = np.arange(len(sent_s))
    wanted = np.round(sent_s * MICROSECONDS).astype(np.int64) + 1
    return np.asarray(np.maximum.accumulate(wanted - places) + places)
