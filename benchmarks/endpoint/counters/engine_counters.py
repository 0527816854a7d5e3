"""Counters that vLLM shows, all engines of a server added up."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.endpoint.endpoint import TIMEOUT_S, Endpoint

PREEMPTIONS = "vllm:num_preemptions_total"


def read_counters(endpoint: Endpoint, *names: str) -> tuple[float, ...] | None:
    """The values since the server started; None where it does not show all of them."""
    answer = httpx.get(f"{endpoint.url}/metrics", timeout=TIMEOUT_S, headers=endpoint.headers)
    return parse_counters(answer.text, *names) if answer.is_success else None


def parse_counters(page: str, *names: str) -> tuple[float, ...] | None:
    """Read a page of metrics in Prometheus' text format; None where it lacks one of the names."""
    if not all(name in page for name in names):
        return None
    samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    return tuple(sum(one.value for one in samples if one.name == name) for name in names)


def preemptions(endpoint: Endpoint) -> float | None:
    """How often the engine took a running request's place in the KV cache away; None where it does not tell."""
    found = read_counters(endpoint, PREEMPTIONS)
    return None if found is None else found[0]
