"""The counters of vLLM's prefix cache, read from a metrics page."""

from benchmarks.endpoint.counters.prefix_cache import PrefixCache, parse_prefix_cache

PAGE = """
# TYPE vllm:prefix_cache_queries counter
vllm:prefix_cache_queries_total{engine="0"} 60.0
vllm:prefix_cache_queries_total{engine="1"} 40.0
vllm:prefix_cache_queries_created{engine="0"} 1.7e9
# TYPE vllm:prefix_cache_hits counter
vllm:prefix_cache_hits_total{engine="0"} 16.0
vllm:prefix_cache_hits_total{engine="1"} 0.0
"""


def test_tokens_of_all_engines_are_added_up() -> None:
    assert parse_prefix_cache(PAGE) == PrefixCache(100, 16)


def test_share_is_of_what_was_looked_up_between_two_readings() -> None:
    assert (PrefixCache(150, 26) - PrefixCache(100, 16)).found_share == 0.2
    assert (PrefixCache(100, 16) - PrefixCache(100, 16)).found_share == 0


def test_page_without_a_cache_tells_nothing() -> None:
    assert parse_prefix_cache("up 1") is None
