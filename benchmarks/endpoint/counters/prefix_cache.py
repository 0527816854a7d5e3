"""What the server found in its prefix cache, by the counters that vLLM shows."""

from dataclasses import dataclass

from benchmarks.endpoint.counters.engine_counters import read_counters
from benchmarks.endpoint.endpoint import Endpoint

LOOKED_UP, FOUND = "vllm:prefix_cache_queries_total", "vllm:prefix_cache_hits_total"


@dataclass(frozen=True)
class PrefixCache:
    """Prompt tokens since the server started, or between two readings (their difference)."""

    looked_up_tokens: float
    found_tokens: float

    def __sub__(self, before: "PrefixCache") -> "PrefixCache":
        return PrefixCache(self.looked_up_tokens - before.looked_up_tokens, self.found_tokens - before.found_tokens)

    @property
    def found_share(self) -> float:
        """Share of the prompt tokens that were not computed anew."""
        return self.found_tokens / max(self.looked_up_tokens, 1)


def prefix_cache(endpoint: Endpoint) -> PrefixCache | None:
    """Read the server's counters; None where it shows none."""
    found = read_counters(endpoint, LOOKED_UP, FOUND)
    return None if found is None else PrefixCache(*found)
