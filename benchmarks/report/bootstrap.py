"""How sure a figure of a queue is: a paired block bootstrap over requests. Pure.

Neighbours in a queue share their fate, so single requests must not be drawn as if they were independent: that would
make every interval too narrow. Whole stretches of neighbouring requests are drawn instead (circular block bootstrap,
Politis and Romano 1992), and the same ones for every policy, since policies are compared on the same requests.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]

LEVEL = 0.95
FEWEST_RESAMPLES, MOST_RESAMPLES = 100, 1000
DRAWS = 5_000_000
"""Requests drawn in all: a report on a million requests takes fewer resamples."""


def resampled(
    statistics: Mapping[str, Callable[[Positions], float]], num_requests: int, seed: int = 0
) -> dict[str, Values]:
    """Each statistic on each resample; a statistic takes the positions of the requests that were drawn."""
    resamples = int(np.clip(DRAWS // num_requests, FEWEST_RESAMPLES, MOST_RESAMPLES))
    rng = np.random.default_rng(seed)
    found: dict[str, list[float]] = {name: [] for name in statistics}
    for _ in range(resamples):
        positions = draw(num_requests, rng)
        for name, statistic in statistics.items():
            found[name].append(statistic(positions))
    return {name: np.array(values) for name, values in found.items()}


def draw(num_requests: int, rng: np.random.Generator) -> Positions:
    """Positions of one resample: stretches of √n neighbours, the last one followed by the first."""
    block = max(1, round(num_requests**0.5))
    starts = rng.integers(0, num_requests, -(-num_requests // block))
    return np.asarray(((starts[:, None] + np.arange(block)).ravel()[:num_requests]) % num_requests)


def interval(values: Values) -> tuple[float, float]:
    """Percentile interval at the level."""
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
