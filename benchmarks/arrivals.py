"""When requests are sent: all at once, drawn from a process, or as a trace recorded them. Pure."""

from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Literal, Self, get_args

import numpy as np
import numpy.typing as npt

from registry.errors import InvalidInput

Arrivals = Literal["burst", "poisson", "gamma", "recorded"]
Seconds = npt.NDArray[np.float64]


def check_arrivals(arrivals: Arrivals, loads: tuple[float, ...], trace: Path | None) -> None:
    """Refuse settings of arrivals that contradict each other.

    Raises:
        InvalidInput: a load that is none, one for a burst, a process without one, or a recording without its trace.
    """
    if any(not load > 0 for load in loads):
        raise InvalidInput(f"every load must be above 0, but got {', '.join(map(str, loads))}.")
    if arrivals == "burst" and loads:
        raise InvalidInput("a burst has no rate, but loads are given; give arrivals=poisson, gamma or recorded too.")
    if arrivals in ("poisson", "gamma") and not loads:
        raise InvalidInput(f"{arrivals} arrivals need a rate, but no loads are given; give loads=0.5,1.5 or so.")
    if arrivals == "recorded" and trace is None:
        raise InvalidInput("recorded arrivals need a trace, but none is given; give trace=FILE.")


@dataclass(frozen=True, kw_only=True)
class ArrivalProcess:
    """What draws the send times of a workload."""

    kind: Arrivals = "burst"
    """`burst`: all at once; `poisson`: independent users; `gamma`: burstier than that; `recorded`: a trace's times."""
    rate_per_s: float = 0.0
    """Mean requests per second; a trace is stretched or squeezed to it, and 0 leaves it as it was recorded."""
    gap_cv: float = 2.0
    """Standard deviation ÷ mean of the gaps between gamma arrivals: 1 is Poisson, more comes in clumps."""
    recorded_s: Seconds | None = None
    """Arrivals of the trace, in seconds, in any order."""

    def __post_init__(self) -> None:
        """Refuse what draws no times."""
        if self.kind not in get_args(Arrivals):
            raise InvalidInput(f"arrivals must be one of {', '.join(get_args(Arrivals))}, but got {self.kind!r}.")
        if self.kind in ("poisson", "gamma") and not (isfinite(self.rate_per_s) and self.rate_per_s > 0):
            raise InvalidInput(
                f"{self.kind} arrivals need a rate above 0 requests per second, but got {self.rate_per_s}."
            )
        if self.kind == "gamma" and not self.gap_cv > 0:
            raise InvalidInput(f"gap_cv must be above 0, but got {self.gap_cv}.")
        if self.kind == "recorded" and self.recorded_s is None:
            raise InvalidInput(
                "recorded arrivals need a trace with the column 'arrival_s', but got none; give trace=FILE."
            )

    def at(self, rate_per_s: float) -> Self:
        """The same process at another rate."""
        return replace(self, rate_per_s=rate_per_s)

    def send_times_s(self, num_requests: int, seed: int) -> Seconds:
        """Seconds after the start, non-decreasing from 0, one a request; the seed draws them.

        Raises:
            InvalidInput: the trace is shorter than the workload.
        """
        if self.kind == "burst":
            return np.zeros(num_requests)
        if self.kind == "recorded":
            return self._recorded(num_requests)
        # The gaps of a Poisson process are exponential, which is the gamma distribution of shape 1.
        shape = 1.0 if self.kind == "poisson" else self.gap_cv**-2
        gaps_s = np.random.default_rng([seed, 1]).gamma(shape, 1 / (shape * self.rate_per_s), num_requests)
        return np.asarray(np.cumsum(gaps_s) - gaps_s[0])

    def _recorded(self, num_requests: int) -> Seconds:
        assert self.recorded_s is not None
        if len(self.recorded_s) < num_requests:
            raise InvalidInput(
                f"a trace must hold an arrival for each request, but has {len(self.recorded_s)} for {num_requests};"
                " ask for fewer requests."
            )
        times_s = np.sort(self.recorded_s)[:num_requests]
        times_s = times_s - times_s[0]
        if self.rate_per_s > 0 and times_s[-1] > 0:
            times_s = times_s * ((num_requests - 1) / (times_s[-1] * self.rate_per_s))
        return np.asarray(times_s)
