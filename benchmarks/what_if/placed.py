"""Requests and where they stand in the queue, by what each policy knows of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.policies.places import Values, noisy_quantiles, places, shuffled_places
from benchmarks.what_if.config import WhatIfConfig
from registry.errors import InvalidInput
from registry.store import load_ranker
from traffic.batch import Traffic
from traffic.served_log import ServedLog


@dataclass(frozen=True)
class PlacedTraffic:
    """Requests, and where they stand in the queue."""

    traffic: Traffic
    places: Mapping[str, Values | None]
    """Of each request, 0 to 1, by policy: fcfs, control, pars and oracle. None is first come, first served."""

    def window(self, start: int, stop: int) -> "PlacedTraffic":
        """Some consecutive requests; their places are those that they have among all."""
        taken = {policy: None if one is None else one[start:stop] for policy, one in self.places.items()}
        return PlacedTraffic(self.traffic.window(start, stop), taken)

    def at(self, stretch: float) -> "PlacedTraffic":
        """The same requests, their gaps so many times as long; what came all at once has no gaps and stays so."""
        return replace(self, traffic=self.traffic.sent_at(self.traffic.arrival_s * stretch))

    def evenly(self, rate_per_s: float) -> "PlacedTraffic":
        """The same requests at a constant rate."""
        return replace(self, traffic=self.traffic.sent_at(np.arange(len(self.traffic)) / rate_per_s))


def placed(config: WhatIfConfig, traffic: Traffic, pars: Values) -> PlacedTraffic:
    """Requests under all four policies; the places of the control are dealt out at random."""
    control, oracle = shuffled_places(traffic.output_tokens, config.seed), places(traffic.output_tokens)
    return PlacedTraffic(traffic, {"fcfs": None, "control": control, "pars": pars, "oracle": oracle})


def places_of_pars(config: WhatIfConfig, log: ServedLog, traffic: Traffic, simulated: np.ndarray) -> Values:
    """The places of a ranker, of the requests that are simulated (NaN for the others); or the truth with noise.

    Args:
        config: which ranker, or how much noise.
        log: where the prompts are.
        traffic: the requests of the log that fit the engine.
        simulated: the places in it of those that are simulated.

    Raises:
        InvalidInput: a ranker is given and the log has rows without a text.
        RegistryError, InvalidRanker: the ranker cannot be used.
    """
    if not config.ranker:
        return noisy_quantiles(traffic.output_tokens, config.tau, config.seed)
    prompts = () if log.records is None else log.prompts(traffic.request_numbers[simulated])
    if not prompts or not all(prompt.strip() for prompt in prompts):
        raise InvalidInput(
            f"a ranker reads prompts, but {config.log} has rows without a text; leave ranker out, and give tau=NUMBER."
        )
    found = np.full(len(traffic), np.nan)
    found[simulated] = load_ranker(config.ranker).quantiles_of(prompts, "ranking")
    return found
