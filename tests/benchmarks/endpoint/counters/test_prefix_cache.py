"""The share that a prefix cache held."""

from benchmarks.endpoint.counters.prefix_cache import PrefixCache


def test_share_is_of_what_was_looked_up_between_two_readings() -> None:
    assert (PrefixCache(150, 26) - PrefixCache(100, 16)).found_share == 0.2
    assert (PrefixCache(100, 16) - PrefixCache(100, 16)).found_share == 0
