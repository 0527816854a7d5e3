"""Requests and where they stand in the queue, by what each policy knows of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.policies.cap import with_caps
from benchmarks.policies.places import Values, noisy_quantiles, places, shuffled_places
from benchmarks.policies.ranked import ranked_by_all
from benchmarks.policies.served_places import ServedPlaces, dealt_work_places
from benchmarks.policies.work import work_places
from benchmarks.simulation.config import INSTANT_SHARE
from benchmarks.simulation.engine.order import Order, spread
from benchmarks.simulation.tiers import order_of_noise, order_of_tiers
from benchmarks.what_if.config import WhatIfConfig
from benchmarks.what_if.stretches import price_of
from registry.errors import InvalidInput
from registry.store import load_ranker
from serving.work.step_cost import StepCost
from traffic.batch import Traffic
from traffic.served_log import ServedLog


@dataclass(frozen=True)
class PlacedTraffic:
    """Requests, and where they stand in the queue."""

    traffic: Traffic
    orders: Mapping[str, Order]
    """By policy: fcfs, control, pars and oracle, and where orders go by work dealt_work and oracle_work."""

    def window(self, start: int, stop: int) -> "PlacedTraffic":
        """Some consecutive requests; their places are those that they have among all."""
        taken = {policy: one.take(np.arange(start, stop)) for policy, one in self.orders.items()}
        return PlacedTraffic(self.traffic.window(start, stop), taken)

    def at(self, stretch: float) -> "PlacedTraffic":
        """The same requests, their gaps so many times as long; what came all at once has no gaps and stays so."""
        return replace(self, traffic=self.traffic.sent_at(self.traffic.arrival_s * stretch))

    def evenly(self, rate_per_s: float) -> "PlacedTraffic":
        """The same requests at a constant rate."""
        return replace(self, traffic=self.traffic.sent_at(np.arange(len(self.traffic)) / rate_per_s))


def served_places(config: WhatIfConfig, cost: StepCost, prompt_tokens: np.ndarray) -> ServedPlaces:
    """How a server that goes by what the settings say makes places of predictions."""
    return ServedPlaces(prompt_tokens=prompt_tokens, price=price_of(config, cost) if config.is_by_work else None)


def placed(config: WhatIfConfig, cost: StepCost, traffic: Traffic, pars: Order) -> PlacedTraffic:
    """Requests under all policies; the lengths that the control believes in are dealt out at random."""
    sizes = (traffic.prompt_tokens, traffic.output_tokens)
    served = served_places(config, cost, traffic.prompt_tokens)
    dealt = shuffled_places(traffic.output_tokens, config.seed)
    control = Order(quantiles=served.of_places(dealt, traffic.output_tokens))
    oracle = Order(quantiles=places(traffic.output_tokens))
    orders = {"fcfs": Order(), "control": control, "pars": pars, "oracle": oracle}
    if config.is_by_work:
        price = price_of(config, cost)
        orders["dealt_work"] = Order(quantiles=dealt_work_places(price, *sizes, config.seed)[0])
        orders["oracle_work"] = Order(quantiles=work_places(price, *sizes))
    return PlacedTraffic(traffic, orders)


def order_of_tau(config: WhatIfConfig, cost: StepCost, traffic: Traffic, tau: float) -> Order:
    """The order of a made-up ranker of this tau-b: the truth with noise."""
    served = served_places(config, cost, traffic.prompt_tokens)
    return order_of_noise(served, traffic.output_tokens, tau, INSTANT_SHARE * tau, config.seed)


def order_of_pars(
    config: WhatIfConfig, cost: StepCost, log: ServedLog, traffic: Traffic, simulated: np.ndarray
) -> tuple[Order, Values]:
    """The order of a ranker, of the requests that are simulated (NaN for the others), or of the truth with noise.

    Beside it what its encoder predicts, by length, 0 to 1.

    Args:
        config: which ranker, or how much noise.
        cost: what a step of the engine costs.
        log: where the prompts are.
        traffic: the requests of the log that fit the engine.
        simulated: the places in it of those that are simulated.

    Raises:
        InvalidInput: a ranker is given and the log has rows without a text.
        RegistryError, InvalidRanker: the ranker cannot be used.
    """
    if not config.ranker:
        lengths = noisy_quantiles(traffic.output_tokens, config.tau, config.seed)
        return order_of_tau(config, cost, traffic, config.tau), lengths
    views = [] if log.records is None else log.views(traffic.request_numbers[simulated])
    if not views or not all(view.text.strip() for view in views):
        raise InvalidInput(
            f"a ranker reads prompts, but {config.log} has rows without a text (as a journal has that is not kept with"
            " PARS_JOURNAL=text); leave ranker out, and give tau=NUMBER."
        )
    tiers = ranked_by_all(load_ranker(config.ranker), with_caps(views, None), "pars")
    order = order_of_tiers(served_places(config, cost, traffic.prompt_tokens[simulated]), tiers)
    return order.spread(len(traffic), simulated), spread(tiers["encoder"].quantiles, len(traffic), simulated)
