"""Settings of a what-if. The command line and MLproject read their defaults from here."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.policies.served_places import OrderBy
from benchmarks.report.goodput import Objectives
from benchmarks.server_defaults import PATIENCE_S
from benchmarks.simulation.engine.engine_settings import EngineSettings
from registry.errors import InvalidInput
from serving.work.step_cost import ready_made
from traffic.served_log import ServedLogSource

TAU_STEP = 0.1
"""A better ranker: about what ten times the training prompts brought on Alpaca (tau-b 0.61 to 0.69)."""


@dataclass(frozen=True, kw_only=True)
class WhatIfConfig(ServedLogSource, Objectives):
    """Whose traffic, on which engine, and what is tried."""

    ranker: str | None = None
    """Whose order PARS is, where the log holds prompts: `models:/NAME@ALIAS`, `models:/NAME/VERSION` or a folder; the
    truth with noise unless given."""
    tau: float = 0.6
    """Kendall tau-b of that noisy truth; what `mlflow run . -e evaluate` says of a ranker."""
    patience_s: float = PATIENCE_S
    """How much later a request may arrive and still overtake."""
    cost: str = "cpu-2-cores-llama-48"
    """What a step of the engine costs: ready-made coefficients by their name, or a file that `measure-engine` wrote;
    NAME_OR_FILE,COEFFICIENT=SECONDS,... assumes other values of some."""
    order_by: OrderBy | None = None
    """What PARS goes by: `work`, what a request costs the engine by its prompt and its predicted answer, or the
    `length` of the predicted answer alone. Unless given, work where `cost` is a file of your own, else length."""
    max_num_seqs: int = EngineSettings.max_num_seqs
    """Requests that the engine works on at the same time (vLLM's flag of this name)."""
    max_num_batched_tokens: int = EngineSettings.max_num_batched_tokens
    """Tokens that a step computes at most (vLLM's flag of this name)."""
    max_model_len: int = EngineSettings.max_model_len
    """Tokens of prompt and answer together; a longer request is left out and counted."""
    kv_cache_tokens: int = EngineSettings.kv_cache_tokens
    """Tokens that fit into the engine's KV cache (vLLM logs it when it starts); 0 is always enough."""
    loads: tuple[float, ...] = (0.5, 0.8, 1.0, 1.5)
    """Arrival rates to be tried, as multiples of capacity, beside the log's own."""
    taus: tuple[float, ...] = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 1.0)
    """Rankers to be tried, by their tau-b."""
    patiences_s: tuple[float, ...] = (5.0, 30.0, 120.0, 600.0)
    """Patiences to be tried, beside `patience_s`."""
    seqs_factors: tuple[float, ...] = (0.5, 1.0, 2.0)
    """Multiples of `max_num_seqs` to be tried, in the same KV cache; those above 1 only where `kv_cache_tokens` is
    given."""
    max_requests: int = 10_000
    """Requests that are simulated as they came: the log whole, or where it is longer windows that stand for all of it,
    beside what is in the queue before and after them."""
    sweep_requests: int = 2_000
    """Requests with which loads and settings are tried at most: the busiest stretch of the log."""
    max_simulated_tokens: int = 10_000_000
    """Output tokens that are simulated in all, half of them for the log as it is: where answers are long, fewer
    requests are. A core simulates some 80,000 a second."""
    seed: int = 0
    """Draws the windows and the noise."""

    @property
    def tried_taus(self) -> tuple[float, ...]:
        """Rankers that are made up: those asked for, and those that the advice speaks of."""
        return tuple(sorted({*self.taus, self.tau, min(self.tau + TAU_STEP, 1.0), 1.0}))

    @property
    def tried_patiences_s(self) -> tuple[float, ...]:
        """Those asked for and the one that there is."""
        return tuple(sorted({*self.patiences_s, self.patience_s}))

    @property
    def tried_seqs(self) -> tuple[int, ...]:
        """Numbers of sequences; no more than there are where nobody knows whether the KV cache holds them."""
        factors = {1.0, *(factor for factor in self.seqs_factors if factor <= 1 or self.kv_cache_tokens)}
        return tuple(sorted({max(1, round(factor * self.max_num_seqs)) for factor in factors}))

    @property
    def has_own_cost(self) -> bool:
        """Whether the step cost is that of the user's own engine."""
        return self.cost.partition(",")[0].strip() not in ready_made() and Path(self.cost).is_file()

    @property
    def is_by_work(self) -> bool:
        """Whether PARS goes by work."""
        return self.has_own_cost if self.order_by is None else self.order_by == "work"

    @property
    def num_policies(self) -> int:
        """First come, first served, the control, PARS and the oracle; by work also dealt_work and oracle_work."""
        return 6 if self.is_by_work else 4

    @property
    def lacks_for_money(self) -> tuple[str, ...]:
        """What is missing before anybody should spend money by this: nouns with where to get them."""
        lacks = []
        if not self.has_own_cost:
            lacks.append("the step cost of your own engine (give cost=FILE, which measure-engine writes)")
        if not self.kv_cache_tokens:
            lacks.append("the size of its KV cache (give kv_cache_tokens=NUMBER, which vLLM logs when it starts)")
        return tuple(lacks)

    @property
    def engine(self) -> EngineSettings:
        """The engine alone."""
        return EngineSettings(
            max_num_seqs=self.max_num_seqs,
            max_num_batched_tokens=self.max_num_batched_tokens,
            max_model_len=self.max_model_len,
            kv_cache_tokens=self.kv_cache_tokens,
        )

    @property
    def sweep_cases(self) -> int:
        """Simulations with the busiest requests."""
        loads = self.num_policies * (len(self.loads) + 1)
        return 2 + loads + len(self.tried_taus) + len(self.tried_patiences_s) + 2 * len(self.tried_seqs)

    def __post_init__(self) -> None:
        """Refuse what nothing can be learned from."""
        self.check_objectives()
        for name in _AT_LEAST_ONE:
            if getattr(self, name) < 1:
                raise InvalidInput(f"{name} must be at least 1, but got {getattr(self, name)}.")
        for name in ("tau", "taus"):
            values = getattr(self, name)
            if any(not 0 <= tau <= 1 for tau in (values if isinstance(values, tuple) else (values,))):
                raise InvalidInput(f"{name} must be in [0, 1], but got {values}.")
        if self.kv_cache_tokens < 0:
            raise InvalidInput(f"kv_cache_tokens must be at least 0, but got {self.kv_cache_tokens}.")
        if self.patience_s < 0 or any(one < 0 for one in self.patiences_s):
            raise InvalidInput(f"a patience must be at least 0, but got {self.patience_s} and {self.patiences_s}.")
        for name in ("loads", "seqs_factors"):
            if any(not one > 0 for one in getattr(self, name)):
                raise InvalidInput(f"{name} must be above 0, but got {getattr(self, name)}.")


_AT_LEAST_ONE = (
    "max_num_seqs",
    "max_num_batched_tokens",
    "max_model_len",
    "max_requests",
    "sweep_requests",
    "max_simulated_tokens",
)
