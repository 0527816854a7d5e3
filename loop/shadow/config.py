"""Settings of a shadow. The command line and MLproject read their defaults from here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.policies.served_places import OrderBy
from benchmarks.report.goodput import Objectives
from benchmarks.server_defaults import PATIENCE_S
from benchmarks.simulation.engine.engine_settings import EngineSettings
from benchmarks.what_if.config import WhatIfConfig
from loop.fresh.config import FreshSource
from registry.errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class ShadowConfig(FreshSource, Objectives):
    """Who scores beside the champion, on which requests, and the engine of the simulation."""

    version: str | None = None
    """Version that scores beside the champion; the challenger unless given."""
    ranker: str | None = None
    """Any ranker instead: `models:/NAME@ALIAS`, `models:/NAME/VERSION` or a folder."""
    window: int = 500
    """Answers of each point of the rolling tau-b; the next one begins half as many later."""
    least_group: int = 50
    """A template, tenant or value of a feature with fewer requests is not looked at alone."""
    show_texts: Literal["off", "on"] = "off"
    """`on` names templates by how they begin; else by a number, and an example by the id of its request."""
    order_by: OrderBy | None = None
    """What the simulated server goes by: `work` or the `length` of the predicted answer. Unless given, work where
    `cost` is a file of your own, else length."""
    cost: str = WhatIfConfig.cost
    """What a step of the simulated engine costs: ready-made coefficients by their name, or a file that `measure-engine`
    wrote."""
    patience_s: float = PATIENCE_S
    """How much later a request may arrive and still overtake."""
    max_num_seqs: int = EngineSettings.max_num_seqs
    """Requests that the engine works on at the same time (vLLM's flag of this name)."""
    max_num_batched_tokens: int = EngineSettings.max_num_batched_tokens
    """Tokens that a step computes at most (vLLM's flag of this name)."""
    max_model_len: int = EngineSettings.max_model_len
    """Tokens of prompt and answer together; a longer request is left out and counted."""
    kv_cache_tokens: int = EngineSettings.kv_cache_tokens
    """Tokens that fit into the engine's KV cache (vLLM logs it when it starts); 0 is always enough."""
    loads: tuple[float, ...] = WhatIfConfig.loads
    """Arrival rates to be tried with the busiest stretch, as multiples of capacity: for goodput."""
    max_simulated_tokens: int = WhatIfConfig.max_simulated_tokens
    """Output tokens that are simulated in all; 0 simulates nothing."""
    seed: int = 0
    """Draws windows, and of many sessions those that an interval leaves out together."""

    def __post_init__(self) -> None:
        """Refuse what cannot be compared."""
        super().__post_init__()
        self.check_objectives()
        if self.version is not None and self.ranker is not None:
            raise InvalidInput(f"give version or ranker, but got both: {self.version} and {self.ranker}.")
        if self.version is not None and not self.version.isdecimal():
            raise InvalidInput(f"a version is a whole number, but got {self.version!r}.")
        for name, least in (("window", 20), ("least_group", 5)):
            if getattr(self, name) < least:
                raise InvalidInput(f"{name} must be at least {least}, but got {getattr(self, name)}.")
        if self.max_simulated_tokens < 0:
            raise InvalidInput(f"max_simulated_tokens must be at least 0, but got {self.max_simulated_tokens}.")
        self.what_if  # noqa: B018 - it refuses what no engine can be

    @property
    def what_if(self) -> WhatIfConfig:
        """The same as a what-if has it."""
        return WhatIfConfig(
            log=self.path or Path(),
            cost=self.cost,
            order_by=self.order_by,
            patience_s=self.patience_s,
            max_num_seqs=self.max_num_seqs,
            max_num_batched_tokens=self.max_num_batched_tokens,
            max_model_len=self.max_model_len,
            kv_cache_tokens=self.kv_cache_tokens,
            loads=self.loads,
            max_simulated_tokens=max(1, self.max_simulated_tokens),
            seed=self.seed,
        )
