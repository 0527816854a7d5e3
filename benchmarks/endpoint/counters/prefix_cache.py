"""What the server found in its prefix cache, by the counters that vLLM shows."""

from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.endpoint.endpoint import TIMEOUT_S, Endpoint

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
    answer = httpx.get(f"{endpoint.url}/metrics", timeout=TIMEOUT_S, headers=endpoint.headers)
    return parse_prefix_cache(answer.text) if answer.is_success else None


def parse_prefix_cache(page: str) -> PrefixCache | None:
    """Read a page of metrics in Prometheus' text format, all engines added up; None where it has none of a cache."""
    if LOOKED_UP not in page:
        return None
    samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    looked_up, found = (sum(one.value for one in samples if one.name == name) for name in (LOOKED_UP, FOUND))
    return PrefixCache(looked_up, found)
