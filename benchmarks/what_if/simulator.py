"""A what-if's cases as runs of the simulator."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from benchmarks.simulation.engine_settings import EngineSettings
from benchmarks.simulation.intake import Order
from benchmarks.simulation.run import Run, simulate_all
from benchmarks.simulation.step_cost import StepCost
from benchmarks.what_if.config import WhatIfConfig
from benchmarks.what_if.study import Case
from traffic.served_log import Traffic


@dataclass(frozen=True)
class Simulator:
    """vLLM's own scheduler under a virtual clock, with the settings of a what-if."""

    config: WhatIfConfig
    cost: StepCost

    def __call__(self, cases: Sequence[Case]) -> list[pd.DataFrame]:
        """The answers of each case, on all cores."""
        return simulate_all([self._run(case) for case in cases])

    @property
    def sentence(self) -> str:
        """What was taken for the engine."""
        return f"vLLM's own scheduler ran step by step under a virtual clock. {self.cost.sentence}"

    def _run(self, case: Case) -> Run:
        return Run(
            traffic=Traffic(
                arrival_s=case.arrival_s, prompt_tokens=case.prompt_tokens, output_tokens=case.output_tokens
            ),
            order=Order(quantiles=case.quantiles, patience_s=case.patience_s, is_ranked=case.policy == "pars"),
            engine=engine_settings(self.config, case.max_num_seqs),
            cost=self.cost,
        )


def engine_settings(config: WhatIfConfig, max_num_seqs: int) -> EngineSettings:
    """The engine that is simulated."""
    return EngineSettings(
        max_num_seqs=max_num_seqs,
        max_num_batched_tokens=config.max_num_batched_tokens,
        max_model_len=config.max_model_len,
        kv_cache_tokens=config.kv_cache_tokens,
    )
