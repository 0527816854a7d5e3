"""From output tokens to a place between 0 and 1 in the queue. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import exp, log, sqrt
from statistics import fmean
from typing import Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from registry.artefact.knots import interpolated, is_increasing

Values = npt.NDArray[np.float64]

LEAST_BAND_LOG_TOKENS = 1e-9
"""A narrower tie band ties nothing."""

MEDIAN_PRECISION = 1 + 1e-9
"""How near the two ends of the search for a median come."""


class LengthDistribution(BaseModel):
    """Q: tokens -> quantile, the interpolated distribution of *predicted* tokens over the traffic; inside (0, 1).

    It is a mid-distribution: the place of a length is the share of shorter ones and half the share of equal ones, so
    predictions that tie keep their mass and share its middle, and over the traffic the mean place is 0.5 (Parzen,
    Quantile probability and statistical data modeling, Statistical Science 19, 2004). Between knots it rises in
    straight lines. Below the first knot and above the last one the half share that is left there is used up
    hyperbolically, so that no two lengths tie there either.
    With a tie band it is a staircase instead: lengths within one band are not told apart, so arrival decides.
    Where requests are ordered by their work, that is what stands for a length here, in seconds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    tokens: tuple[float, ...]
    """Knots: lengths, strictly increasing, above 0; at least one."""
    shares: tuple[float, ...] | None = None
    """The quantile of each knot, strictly increasing, inside (0, 1); the middles of equal shares, (i + 0.5) / n, where
    none are given, as in version 0.1.0."""
    band_log_tokens: float = Field(default=0.0, ge=0)
    """Width of the tie bands, in natural logarithms of tokens; 0 tells all lengths apart."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.tokens or self.tokens[0] <= 0 or not is_increasing(self.tokens):
            raise ValueError("the lengths of a distribution must be above 0 and strictly increasing, and at least one.")
        shares = self.shares
        if shares is not None and (
            len(shares) != len(self.tokens) or not is_increasing(shares) or shares[0] <= 0 or shares[-1] >= 1
        ):
            raise ValueError(
                "the shares of a distribution must be one a length, inside (0, 1) and strictly increasing."
            )
        return self

    @classmethod
    def of(
        cls,
        tokens: Iterable[float],
        occurrences: Iterable[float] | None = None,
        max_knots: int = 256,
        band_log_tokens: float = 0.0,
    ) -> Self:
        """The distribution of a sample of lengths, each of which came so often (once unless said).

        Of more distinct lengths than `max_knots` (at least 2), those between the ends of equal parts of the mass are
        left to the straight lines, which moves their places by less than 2 / `max_knots`.
        """
        sample = np.fromiter(tokens, dtype=float)
        if band_log_tokens >= LEAST_BAND_LOG_TOKENS:
            sample = np.array([_centre_of_band(one, band_log_tokens) for one in sample])
        weights = np.ones(len(sample)) if occurrences is None else np.fromiter(occurrences, dtype=float)
        lengths, inverse = np.unique(sample, return_inverse=True)
        mass = np.bincount(inverse, weights, len(lengths)) / max(weights.sum(), 1)
        shares = np.cumsum(mass) - mass / 2
        if len(lengths) > max_knots:
            kept = _ends_of_parts(shares, max_knots // 2)
            lengths, shares = lengths[kept], shares[kept]
        return cls(tokens=tuple(lengths.tolist()), shares=tuple(shares.tolist()), band_log_tokens=band_log_tokens)

    def quantile(self, tokens: float) -> float:
        """The share of predicted lengths below `tokens` (above 0), and half of those that equal it."""
        tokens = self.banded(tokens)
        shares = self.knot_shares
        if tokens < self.tokens[0]:
            return float(shares[0] * tokens / self.tokens[0])
        if tokens > self.tokens[-1]:
            return float(1 - (1 - shares[-1]) * self.tokens[-1] / tokens)
        return interpolated(tokens, self.tokens, shares)

    def quantiles(self, tokens: Values) -> Values:
        """`quantile` of each of them, [lengths]."""
        banded = np.array([self.banded(one) for one in tokens.tolist()]) if self.has_bands else tokens
        shares, first, last = self.knot_shares, self.tokens[0], self.tokens[-1]
        inside = np.interp(banded, self.tokens, shares)
        below, above = shares[0] * banded / first, 1 - (1 - shares[-1]) * last / banded
        return np.asarray(np.select([banded < first, banded > last], [below, above], inside))

    @property
    def has_bands(self) -> bool:
        """Whether lengths that are near each other are not told apart."""
        return self.band_log_tokens >= LEAST_BAND_LOG_TOKENS

    def banded(self, tokens: float) -> float:
        """What a length is taken for: the centre of its tie band, or itself where all lengths are told apart."""
        return _centre_of_band(tokens, self.band_log_tokens) if self.has_bands else tokens

    @cached_property
    def knot_shares(self) -> tuple[float, ...]:
        """The quantile of each knot. No array, since cards are compared, and what is cached with them."""
        if self.shares is None:
            return tuple(((np.arange(len(self.tokens)) + 0.5) / len(self.tokens)).tolist())
        return self.shares

    @cached_property
    def median_tokens(self) -> float:
        """The middle length: what a request that cannot be ranked is taken for."""
        return float(np.interp(0.5, self.knot_shares, self.tokens))


@dataclass(frozen=True)
class Mixture:
    """Q of an engine that answers as several target LLMs: the mean of their distributions, all of the same weight.

    Predicted tokens are a unit that all rankers share, so in this one distribution a target LLM whose answers are long
    is behind one whose answers are short. The mixture of one distribution is that distribution.
    """

    parts: tuple[LengthDistribution, ...]
    """At least one."""

    def quantile(self, tokens: float) -> float:
        """The share of predicted lengths below `tokens` (above 0)."""
        return fmean(part.quantile(tokens) for part in self.parts)

    @cached_property
    def median_tokens(self) -> float:
        """The length at the quantile 0.5, found by bisection between the medians of the parts."""
        medians = [part.median_tokens for part in self.parts]
        shorter, longer = min(medians), max(medians)
        while longer > shorter * MEDIAN_PRECISION:
            middle = sqrt(shorter * longer)
            shorter, longer = (middle, longer) if self.quantile(middle) < 0.5 else (shorter, middle)
        return longer


def _centre_of_band(tokens: float, band_log_tokens: float) -> float:
    return exp(round(log(tokens) / band_log_tokens) * band_log_tokens)


def _ends_of_parts(shares: Values, parts: int) -> npt.NDArray[np.int64]:
    """The places of the first and the last of the shares in each part, of so many equal parts of 0 to 1."""
    part = (shares * parts).astype(np.int64)
    return np.flatnonzero(np.diff(part, prepend=-1) | np.diff(part, append=parts))
