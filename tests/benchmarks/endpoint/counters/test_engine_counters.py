"""vLLM's counters, read from a metrics page."""

from benchmarks.endpoint.counters.engine_counters import PREEMPTIONS, parse_counters
from benchmarks.endpoint.counters.prefix_cache import FOUND, LOOKED_UP

PAGE = """
# TYPE vllm:prefix_cache_queries counter
vllm:prefix_cache_queries_total{engine="0"} 60.0
vllm:prefix_cache_queries_total{engine="1"} 40.0
vllm:prefix_cache_queries_created{engine="0"} 1.7e9
# TYPE vllm:prefix_cache_hits counter
vllm:prefix_cache_hits_total{engine="0"} 16.0
vllm:prefix_cache_hits_total{engine="1"} 0.0
# TYPE vllm:num_preemptions counter
vllm:num_preemptions_total{engine="0"} 3.0
"""


def test_counters_of_all_engines_are_added_up() -> None:
    assert parse_counters(PAGE, LOOKED_UP, FOUND, PREEMPTIONS) == (100, 16, 3)


def test_page_without_one_of_them_tells_nothing() -> None:
    assert parse_counters(PAGE, LOOKED_UP, "vllm:something_total") is None
    assert parse_counters("up 1", PREEMPTIONS) is None
