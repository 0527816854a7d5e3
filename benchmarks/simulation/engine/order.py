"""Where requests stand in the queue, and when that is known. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from benchmarks.server_defaults import PATIENCE_S
from serving.ranking.priority import MICROSECONDS, priority
from traffic.batch import Traffic

Seconds = npt.NDArray[np.float64]
Places = npt.NDArray[np.float64]
"""Of each request among all, 0 what costs least to 1 what costs most."""
PlacedBy = Literal["known", "instant", "encoder", "median"]
"""What found the place that a request went on with: it was known beforehand, a tier of the ranker, or neither."""
MEDIAN = 0.5


@dataclass(frozen=True, kw_only=True)
class Order:
    """Where requests stand in the queue; without any places it is first come, first served."""

    quantiles: Places | None = None
    """Known when a request is sent, as the truth is."""
    instant: Places | None = None
    """Found in the event loop, in the time of the instant tier."""
    encoder: Places | None = None
    """Found in a thread, in the time of a ranking, while the request is held."""
    patience_s: float = PATIENCE_S
    """How much later a request may arrive and still overtake."""

    @property
    def best(self) -> Places | None:
        """The places that requests would get with all the time there is; None is first come, first served."""
        known = (self.quantiles, self.encoder, self.instant)
        return next((one for one in known if one is not None), None)

    def take(self, kept: npt.NDArray[np.int64]) -> Self:
        """Of the requests at these places."""
        return self._with(lambda places: places[kept])

    def spread(self, requests: int, kept: npt.NDArray[np.int64]) -> Self:
        """Of so many requests, of which these have places and the others none (NaN)."""
        return self._with(lambda places: spread(places, requests, kept))

    def _with(self, changed: Callable[[Places], Places]) -> Self:
        quantiles, instant, encoder = (
            None if one is None else changed(one) for one in (self.quantiles, self.instant, self.encoder)
        )
        return replace(self, quantiles=quantiles, instant=instant, encoder=encoder)


def spread(places: Places, requests: int, kept: npt.NDArray[np.int64]) -> Places:
    """These places among so many requests; NaN at the others."""
    found = np.full(requests, np.nan)
    found[kept] = places
    return found


class SentRequest(NamedTuple):
    """One request as it is sent to a server, and the priority that each place would give it; lower goes sooner."""

    number: int
    """Whatever the caller knows it by."""
    sent_s: float
    prompt_tokens: int
    output_tokens: int
    """At which its answer ends."""
    known: int | None
    instant: int | None
    encoder: int | None
    median: int
    token_ids: tuple[int, ...] | None = None
    """The prompt, where prefixes are cached; of unknown content unless given."""

    def priority_of(self, placed_by: PlacedBy) -> int:
        """The priority with the place that this has found."""
        found: int | None = getattr(self, placed_by)
        assert found is not None, placed_by
        return found


def sent_requests(traffic: Traffic, order: Order) -> Iterator[SentRequest]:
    """The requests in the order of sending, each with the priorities that the service would give it."""
    for number, stamp_us in enumerate(arrivals_us(traffic.arrival_s).tolist()):
        yield sent_request(traffic, order, number, stamp_us)


def sent_request(traffic: Traffic, order: Order, number: int, arrival_us: int) -> SentRequest:
    """One request of the traffic, with its stamp of `arrivals_us`."""

    def priority_in(places: Places | None) -> int | None:
        return None if places is None else priority(arrival_us, order.patience_s, float(places[number]))

    is_fcfs = order.best is None
    return SentRequest(
        number=number,
        sent_s=float(traffic.arrival_s[number]),
        prompt_tokens=int(traffic.prompt_tokens[number]),
        output_tokens=int(traffic.output_tokens[number]),
        known=arrival_us if is_fcfs else priority_in(order.quantiles),
        instant=priority_in(order.instant),
        encoder=priority_in(order.encoder),
        median=priority(arrival_us, order.patience_s, MEDIAN),
        token_ids=traffic.token_ids[number] if traffic.token_ids else None,
    )


def arrivals_us(sent_s: Seconds) -> npt.NDArray[np.int64]:
    """Whole microseconds above 0, each later than the one before, as the service stamps them."""
    places = np.arange(len(sent_s))
    wanted = np.round(sent_s * MICROSECONDS).astype(np.int64) + 1
    return np.asarray(np.maximum.accumulate(wanted - places) + places)
