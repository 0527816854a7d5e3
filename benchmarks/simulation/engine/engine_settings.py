"""What a simulated engine is given, and what it gives back. Shared by all that simulates; imports no sibling."""

from dataclasses import dataclass, fields
from typing import Literal, NamedTuple

from registry.errors import InvalidInput

Switch = Literal["on", "off"]


@dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """The engine that is simulated; vLLM's flags of these names."""

    max_num_seqs: int = 256
    """Requests that a step works on at most."""
    max_num_batched_tokens: int = 8192
    """Tokens that a step computes at most; a longer prompt is computed in several steps."""
    max_model_len: int = 131_072
    """Tokens of prompt and answer together; a request that is longer is left out and counted."""
    kv_cache_tokens: int = 0
    """Tokens of all running requests that fit into the KV cache, after which some are preempted; 0 is always enough."""
    prefix_caching: Switch = "off"
    """Whether equal beginnings of prompts are computed once; only texts can have them."""

    def __post_init__(self) -> None:
        """Refuse what no engine can be."""
        for name in ("max_num_seqs", "max_num_batched_tokens", "max_model_len"):
            if getattr(self, name) < 1:
                raise InvalidInput(f"{name} must be at least 1, but got {getattr(self, name)}.")
        if self.kv_cache_tokens < 0:
            raise InvalidInput(f"kv_cache_tokens must be at least 0, but got {self.kv_cache_tokens}.")

    @property
    def longest_request(self) -> int:
        """Tokens of prompt and answer that the engine can hold at all."""
        return min(self.max_model_len, self.kv_cache_tokens or self.max_model_len)


def engine_of(settings: EngineSettings) -> EngineSettings:
    """The engine of settings that hold more."""
    return EngineSettings(**{one.name: getattr(settings, one.name) for one in fields(EngineSettings)})


class SimulatedRequest(NamedTuple):
    """One request on its way into an engine."""

    number: int
    """Whatever the caller knows it by."""
    ready_s: float
    """When the engine can have it."""
    priority: int
    """Lower goes sooner."""
    arrival_s: float
    """Breaks ties of the priority."""
    prompt_tokens: int
    output_tokens: int
    """At which its answer ends."""
    token_ids: tuple[int, ...] | None = None
    """The prompt, where prefixes are cached; of unknown content unless given."""


class Served(NamedTuple):
    """What became of a request; times in seconds of the virtual clock."""

    number: int
    first_token_s: float
    last_token_s: float
    preemptions: int = 0
    """How often it was thrown out of a full KV cache."""
    recomputed_tokens: int = 0
    """Computed, thrown out with it and not found in the prefix cache when it came back."""
    placed_by: str = ""
    """What found the place that it went on with (`order.PlacedBy`); an engine alone does not know."""
