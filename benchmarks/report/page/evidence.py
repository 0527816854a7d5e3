"""What a report is made of: a simulation, a replay and a what-if each fill it in, and `log.py` beside it writes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from benchmarks.policies.policy_list import kind_of
from benchmarks.policies.rivals import FITTED, RULES
from benchmarks.report.goodput import Objectives
from charts.chart import AnyChart

KNOW_PROMPTS = ("prompt_length", "prompt_work", RULES)
NO_RANKERS = {"fcfs": 3, "control": 4, "oracle": 4, "oracle_work": 4, "dealt_work": 4}
RATHER_NOT = dict.fromkeys(FITTED, 1) | dict.fromkeys(KNOW_PROMPTS, 2) | NO_RANKERS
"""Kinds of policies that a headline is about only if there is nothing else, what is least wanted with the most."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Answers, and what a reader must know with them."""

    title: str
    answers: pd.DataFrame
    """One row an answer (`benchmarks/answers.py`)."""
    provenance: tuple[str, ...]
    """What was run and what was simulated, of which lengths and prompts, and what was left out: sentences."""
    settings: Mapping[str, object]
    overhead: tuple[str, ...] = ()
    """What ranking cost: sentences."""
    advice: tuple[str, ...] = ()
    """What to do about it: sentences."""
    advice_title: str = "What to do"
    verdict: str = ""
    """What stands first, where more is known than the figures say."""
    next_step: str = ""
    """What to do next, where that is not the first advice: a sentence."""
    sweeps: tuple[AnyChart, ...] = ()
    """What changes with a setting: charts after those of the answers."""
    sweeps_title: str = "What would change it"
    policy: str = "pars"
    """The policy that the headline is about, if it was among them."""
    load: float = field(default=np.nan)
    """The load that the headline and the distributions are about; NaN is the one that no rate describes."""
    unrated: str = "burst"
    """What to call that one."""
    objectives: Objectives = field(default_factory=Objectives)
    """Within which times requests were to be answered."""
    capacity_per_s: float = 0.0
    """Requests per second at load 1; 0 where that is not known."""

    def __post_init__(self) -> None:
        """Load and policy must be among the answers; else it is the highest one, and the first that is no baseline."""
        loads = self.answers.load
        if not (loads.isna() if np.isnan(self.load) else loads == self.load).any():
            object.__setattr__(self, "load", float(loads.max()))
        policies = list(self.answers.policy.unique())
        if self.policy not in policies:
            first = min(policies, key=lambda policy: RATHER_NOT.get(kind_of(policy), 0))
            object.__setattr__(self, "policy", first)
