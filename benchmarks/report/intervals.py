"""How sure a figure of a queue is: as sure as requests, whose neighbours share their fate, and runs allow. Pure.

Everything is computed on logarithms, since what machines and requests do to a time is a factor. Two sources add up:

- *Which requests there were.* The variance is that of a circular block bootstrap (Politis and Romano 1992) in the limit
  of infinitely many resamples: a sum over all stretches of neighbours, where nothing need be drawn. Two pairs of
  repeats send the same requests in two orders: a request has other neighbours in each, and is one request in both. So
  the variances over the stretches of each order are added, and that over single requests, which each of them contains,
  is taken off all but once (Cameron, Gelbach and Miller 2011). Clusters are one more way of standing together.
- *From run to run.* What the means of the runs differ by beyond what the places of the requests explain is the noise of
  the machine, which all policies share and which makes all times longer alike; so it is estimated from all their runs
  together (but those of a control and its mirror image, which differ on purpose), and from means for quantiles too.
  What makes all runs of a repeat longer alike is in no factor between policies; in the figure of one policy it is only
  where there is no other.

Student's t, with the degrees of freedom of the sum of the two (Satterthwaite 1946), does the rest. A quantile is taken
for a mean: of how far each request would move it (its influence function). One run, such as a simulation without
repeats, has no noise to be seen: its interval is about other requests alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from benchmarks.report.runs import Positions, Runs, Values

LEVEL = 0.95
STRETCH = 1.5
"""A stretch of neighbours has this many times √n requests; shorter ones miss more of what neighbours share."""
OVERLAP = 1.5
"""Stretches that overlap tell as much as so many times as many that do not (Meketon and Schmeiser 1984)."""


@dataclass(frozen=True)
class Logarithms:
    """A figure of every run, as its logarithm, and how it depends on the requests."""

    of_runs: Values
    """[policies x repeats]"""
    influences: Values
    """[policies x repeats, requests]: how far each request moves it, times the number of requests."""


def log_mean(values: Values) -> Logarithms:
    """Of the mean over requests of positive values [runs, requests]."""
    means = values.mean(axis=1)
    return Logarithms(np.log(means), values / means[:, None] - 1)


def log_quantile(values: Values, share: float) -> Logarithms:
    """Of the value that this share of the requests does not exceed.

    How fast the quantile rises there is read off the values within two standard errors of the share.
    """
    requests = values.shape[1]
    reach = 2 * np.sqrt(share * (1 - share) / requests)
    at = np.clip([share - reach, share, share + reach], 0.5 / requests, 1 - 0.5 / requests)
    at[0] = min(at[0], max(at[2] - 1 / requests, 0.0))  # of few, from one value to the next
    below, quantile, above = np.log(np.quantile(values, at, axis=1))
    slope = (above - below) / (at[2] - at[0])
    return Logarithms(quantile, slope[:, None] * (share - (values <= np.exp(quantile)[:, None])))


class Uncertainty:
    """Half-widths of the intervals of one figure's logarithm, under every policy."""

    def __init__(self, runs: Runs, figure: Logarithms, mean: Logarithms | None = None) -> None:
        """Of a quantile, `mean` is the mean of the same times."""
        self._policies, self._repeats = len(runs.policies), int(runs.repeats)
        self._alike = runs.are_alike
        self._mean = mean or figure
        self._of_mean = _covariance(self._mean.influences, runs.orders, runs.clusters)
        self._alone = _of_requests(figure.influences)
        self._covariance = _covariance(figure.influences, runs.orders, runs.clusters)
        self._stretches = max(1.0, OVERLAP * (runs.requests / _stretch(runs.requests) - 1))
        if runs.clusters is not None:
            self._stretches = max(1.0, min(self._stretches, float(runs.clusters.max())))

    def of_policy(self, policy: int) -> float:
        """Of the policy's own figure."""
        weights = np.zeros((self._policies, self._repeats))
        weights[policy] = 1 / self._repeats
        return self._half(weights.ravel())

    def of_ratio(self, one: int, other: int) -> float:
        """Of the figure of one policy ÷ that of another in the same repeats."""
        if one == other:
            return 0.0
        weights = np.zeros((self._policies, self._repeats))
        weights[one], weights[other] = 1 / self._repeats, -1 / self._repeats
        return self._half(weights.ravel())

    def _half(self, weights: Values) -> float:
        """Of a sum of the runs' logarithms with these weights."""
        requests = float(max(weights @ self._covariance @ weights, weights @ self._alone @ weights))
        if self._repeats == 1:
            return float(student.ppf((1 + LEVEL) / 2, self._stretches) * np.sqrt(requests))
        seen, explained = (float(weights @ weights) * one for one in self._noise())
        variance = requests + max(0.0, seen - explained)
        if variance == 0:
            return 0.0
        degrees = variance**2 / (requests**2 / self._stretches + seen**2 / self._freedom)
        degrees = max(degrees, min(self._freedom, self._stretches))
        return float(student.ppf((1 + LEVEL) / 2, degrees) * np.sqrt(variance))

    def _noise(self) -> tuple[float, float]:
        """Variance of a run's logarithm beside what its policy and its repeat have in common: seen, and explained."""
        of_policies = np.zeros((self._policies, self._policies))
        of_policies[np.ix_(self._alike, self._alike)] = _centred(self._num_alike) if self._num_alike > 1 else 1
        residuals = np.kron(of_policies, _centred(self._repeats))
        seen = self._mean.of_runs @ residuals @ self._mean.of_runs
        explained = max(0.0, np.trace(residuals @ self._of_mean))
        return float(seen) / self._freedom, float(explained) / self._freedom

    @property
    def _freedom(self) -> int:
        """Degrees of freedom of the noise."""
        return max(1, self._num_alike - 1) * max(1, self._repeats - 1)

    @property
    def _num_alike(self) -> int:
        return int(self._alike.sum())


def _centred(num: int) -> Values:
    """Takes the mean off so many numbers."""
    return np.asarray(np.eye(num) - 1 / num)


def _covariance(influences: Values, orders: Sequence[Positions], clusters: Positions | None) -> Values:
    """Of the logarithms of the runs, from which requests there were: [runs, runs]."""
    ways = [_of_neighbours(influences[:, order]) for order in orders]
    if clusters is not None:
        sums = np.stack([np.bincount(clusters, one) for one in influences])
        ways.append(sums @ sums.T / influences.shape[1] ** 2)
    return np.asarray(sum(ways) - (len(ways) - 1) * _of_requests(influences))


def _of_requests(influences: Values) -> Values:
    return np.asarray(influences @ influences.T / influences.shape[1] ** 2)


def _of_neighbours(influences: Values) -> Values:
    """Over all stretches, the last request followed by the first."""
    requests = influences.shape[1]
    stretch = _stretch(requests)
    sums = np.cumsum(np.hstack([np.zeros((len(influences), 1)), influences, influences[:, :stretch]]), axis=1)
    sums = sums[:, stretch : stretch + requests] - sums[:, :requests]
    # A stretch is not independent of the mean that it is compared with.
    return np.asarray(sums @ sums.T / (requests * stretch * max(1, requests - stretch)))


def _stretch(requests: int) -> int:
    return max(1, min(requests // 3, round(STRETCH * float(np.sqrt(requests)))))
