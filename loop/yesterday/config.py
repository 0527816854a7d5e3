"""Settings of a look at yesterday. The command line and MLproject read their defaults from here."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benchmarks.policies.served_places import OrderBy
from benchmarks.report.goodput import Objectives
from benchmarks.server_defaults import PATIENCE_S
from benchmarks.simulation.engine.engine_settings import EngineSettings
from benchmarks.what_if.config import WhatIfConfig
from registry.errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class YesterdayConfig(Objectives):
    """Whose day, and the engine that served it."""

    target_llm: str
    """Exact name of the LLM whose answers are predicted."""
    journal: Path
    """Folder of a server's journal (PARS_JOURNAL_DIR); no texts are needed. Give that of one engine."""
    day: str | None = None
    """Which day, as in 2026-11-26, in UTC; the last one that is over and has requests unless given."""
    cost: str = WhatIfConfig.cost
    """What a step of the engine costs: a file that `measure-engine` wrote, as the server has it in PARS_COST, or
    ready-made coefficients by their name. Without your engine's own the simulated day is far from the one that was."""
    patience_s: float = PATIENCE_S
    """The server's PARS_PATIENCE_S."""
    max_num_seqs: int = EngineSettings.max_num_seqs
    """Requests that the engine works on at the same time (vLLM's flag of this name)."""
    max_num_batched_tokens: int = EngineSettings.max_num_batched_tokens
    """Tokens that a step computes at most (vLLM's flag of this name)."""
    max_model_len: int = EngineSettings.max_model_len
    """Tokens of prompt and answer together; a longer request is left out and counted."""
    kv_cache_tokens: int = EngineSettings.kv_cache_tokens
    """Tokens that fit into the engine's KV cache (vLLM logs it when it starts); 0 is always enough."""
    max_requests: int = WhatIfConfig.max_requests
    """Requests that are simulated: the day whole, or where it is longer windows that stand for all of it, beside what
    is in the queue before and after them."""
    max_simulated_tokens: int = WhatIfConfig.max_simulated_tokens
    """Output tokens that are simulated in all; where answers are long, fewer requests are. A core simulates some 80,000
    a second."""
    seed: int = 0
    """Draws the windows."""

    def __post_init__(self) -> None:
        """Refuse what is no day or no engine."""
        self.check_objectives()
        self.what_if("length")
        if self.day is not None:
            _date(self.day)

    @property
    def date(self) -> date | None:
        """The day that was asked for."""
        return None if self.day is None else _date(self.day)

    def what_if(self, order_by: OrderBy) -> WhatIfConfig:
        """The same as a what-if has it, of whose tokens half go to the log as it is."""
        return WhatIfConfig(
            log=self.journal,
            cost=self.cost,
            order_by=order_by,
            patience_s=self.patience_s,
            max_num_seqs=self.max_num_seqs,
            max_num_batched_tokens=self.max_num_batched_tokens,
            max_model_len=self.max_model_len,
            kv_cache_tokens=self.kv_cache_tokens,
            max_requests=self.max_requests,
            max_simulated_tokens=2 * self.max_simulated_tokens,
            seed=self.seed,
        )


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"a day is written as in 2026-11-26, but got {text!r}.") from None
