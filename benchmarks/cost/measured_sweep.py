"""Bursts of a live engine, and what the simulation makes of the same bursts."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.simulation.engine.engine_settings import EngineSettings
from benchmarks.simulation.engine.order import Order
from benchmarks.simulation.engine.run import Run, serve
from serving.work.step_cost import StepCost
from traffic.batch import Traffic

Values = npt.NDArray[np.float64]
Design = tuple[tuple[int, ...], tuple[int, ...]]
"""Tokens of each prompt and of each answer."""


@dataclass(frozen=True)
class MeasuredSweep:
    """One table of answers a burst (`benchmarks/answers.py`, and `accepted_s`), all first come, first served."""

    bursts: Sequence[pd.DataFrame]
    engine: EngineSettings
    """The engine that answered."""

    @property
    def s_per_token(self) -> float:
        """Of the smallest burst."""
        smallest = min(self.bursts, key=len)
        return float((smallest.e2e_s / smallest.output_tokens).mean())

    @cached_property
    def burst_of_each(self) -> npt.NDArray[np.int64]:
        """Number of the burst of each time."""
        return np.repeat(np.arange(len(self.bursts)), [2 * len(one) for one in self.bursts])

    @cached_property
    def is_end(self) -> npt.NDArray[np.bool_]:
        """Whether a time is that of the last token; the others are of the first one."""
        return np.concatenate([np.repeat([False, True], len(one)) for one in self.bursts])

    @cached_property
    def measured_s(self) -> Values:
        """To the first tokens and to the last ones after each burst began, burst by burst."""
        times_s = [[one.sent_s + one.ttft_s, one.sent_s + one.e2e_s] for one in self.bursts]
        return np.concatenate([np.concatenate(one) for one in times_s])

    def simulated_s(self, cost: StepCost) -> Values:
        """The same times at this cost; bursts of the same design are simulated once."""
        designs = [_design(one) for one in self.bursts]
        times_s = {one: self._simulated_s(one, cost) for one in dict.fromkeys(designs)}
        return np.concatenate([times_s[one] for one in designs])

    def log_error(self, cost: StepCost) -> Values:
        """Log (simulated ÷ measured) of each time."""
        return np.asarray(np.log(self.simulated_s(cost) / self.measured_s))

    def _simulated_s(self, design: Design, cost: StepCost) -> Values:
        prompt_tokens, output_tokens = (np.array(one, dtype=np.int64) for one in design)
        # What the client needs to send a burst is part of what taking it in costs.
        traffic = Traffic(
            arrival_s=np.zeros(len(prompt_tokens)), prompt_tokens=prompt_tokens, output_tokens=output_tokens
        )
        served = serve(Run(traffic=traffic, order=Order(), engine=self.engine, cost=cost))
        in_order = sorted(served)
        return np.array([one.first_token_s for one in in_order] + [one.last_token_s for one in in_order])


def _design(burst: pd.DataFrame) -> Design:
    return tuple(burst.prompt_tokens.astype(int)), tuple(burst.output_tokens.astype(int))
