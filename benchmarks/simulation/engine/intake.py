"""What happens to requests before an engine has them: they are taken in, handed on and ranked. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.server_defaults import PATIENCE_S
from benchmarks.simulation.engine.engine_settings import SimulatedRequest
from serving.ranking.priority import MICROSECONDS, priority
from serving.work.step_cost import StepCost
from traffic.batch import Traffic

Seconds = npt.NDArray[np.float64]
MEDIAN = 0.5


@dataclass(frozen=True, kw_only=True)
class Order:
    """Where requests stand in the queue."""

    quantiles: Seconds | None = None
    """Place of each request among all answers, 0 the shortest to 1 the longest; None is first come, first served."""
    patience_s: float = PATIENCE_S
    """How much later a request may arrive and still overtake."""
    is_ranked: bool = False
    """Whether finding the place takes the time of a ranking; the truth is known at once."""


class Intake:
    """What stands before one engine: an event loop that takes requests in, and a thread that ranks them.

    The loop goes on with all that wait at the same time, each a piece further: it reads all of them, then hands one
    after the other on, and what has come meanwhile is the next round. So the engine begins a burst with one request,
    and its next step chooses among those that were handed on during the first. The thread scores one prompt after the
    other. The way to the engine and back comes on top, and those of many requests go on at once. A request that would
    be held for longer than the backlog budget is not ranked at all, as the service does when it is overloaded. The
    shorter budget, for an engine with room, is not simulated: it lets through no more requests than it has room for.
    """

    def __init__(self, cost: StepCost, is_ranked: bool, backlog_s: float) -> None:
        self._cost, self._is_ranked, self._backlog_s = cost, is_ranked, backlog_s
        self._loop_free_s = self._ranker_free_s = 0.0

    def take(self, sent_s: Sequence[float]) -> list[tuple[float, bool]]:
        """When the engine can have each of the next requests, and whether it has a place by then or the median's.

        Args:
            sent_s: when they are sent, in order. A round takes in requests of one call only.
        """
        taken: list[tuple[float, bool]] = []
        while len(taken) < len(sent_s):
            start_s = max(sent_s[len(taken)], self._loop_free_s)
            num_waiting = bisect_right(sent_s, start_s, lo=len(taken)) - len(taken)
            self._loop_free_s = start_s + num_waiting * self._cost.intake_s
            taken += [self._hand_on() for _ in range(num_waiting)]
        return taken

    def _hand_on(self) -> tuple[float, bool]:
        self._loop_free_s += self._cost.handing_on_s
        done_s, has_place = self._place(self._loop_free_s)
        return done_s + self._cost.transit_s, has_place

    def _place(self, handed_on_s: float) -> tuple[float, bool]:
        if not self._is_ranked:
            return handed_on_s, True
        scored_s = max(handed_on_s, self._ranker_free_s) + self._cost.scoring_s
        done_s = max(scored_s, handed_on_s + self._cost.ranking_s)
        if done_s - handed_on_s > self._backlog_s:
            return handed_on_s, False
        self._ranker_free_s = scored_s
        return done_s, True


def arrivals_us(sent_s: Seconds) -> npt.NDArray[np.int64]:
    """Whole microseconds above 0, each later than the one before, as the service stamps them."""
    places = np.arange(len(sent_s))
    wanted = np.round(sent_s * MICROSECONDS).astype(np.int64) + 1
    return np.asarray(np.maximum.accumulate(wanted - places) + places)


def simulated_request(
    traffic: Traffic, order: Order, number: int, arrival_us: int, ready_s: float, has_place: bool
) -> SimulatedRequest:
    """A request as the engine gets it, with the priority that the service would give it.

    Args:
        traffic: what is sent.
        order: how the queue is ordered.
        number: which request of the traffic.
        arrival_us: its stamp, of `arrivals_us`.
        ready_s: when the engine can have it.
        has_place: whether it has its place by then, or the median's.
    """
    patience_s, quantile = 0.0, 0.0
    if order.quantiles is not None:
        patience_s, quantile = order.patience_s, float(order.quantiles[number]) if has_place else MEDIAN
    return SimulatedRequest(
        number=number,
        ready_s=ready_s,
        priority=priority(arrival_us, patience_s, quantile),
        arrival_s=float(traffic.arrival_s[number]),
        prompt_tokens=int(traffic.prompt_tokens[number]),
        output_tokens=int(traffic.output_tokens[number]),
        token_ids=traffic.token_ids[number] if traffic.token_ids else None,
    )
