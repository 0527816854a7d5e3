"""What was computed of texts that come again."""

from concurrent.futures import ThreadPoolExecutor

from registry.keyed_cache import KeyedCache


def test_the_least_recently_used_is_forgotten_first() -> None:
    cache = KeyedCache[int](2)
    cache.put(b"a", 1)
    cache.put(b"b", 2)
    assert cache.get(b"a") == 1
    cache.put(b"c", 3)
    assert [cache.get(text) for text in (b"a", b"b", b"c", b"d")] == [1, None, 3, None]


def test_nothing_is_kept_where_there_is_no_room() -> None:
    cache = KeyedCache[int](0)
    cache.put(b"a", 1)
    assert cache.get(b"a") is None and len(cache) == 0


def test_no_text_is_kept_and_digests_differ_from_one_process_to_the_next() -> None:
    caches = KeyedCache[int](9), KeyedCache[int](9)
    for cache in caches:
        cache.put(b"zanzibar", 1)
        assert "zanzibar" not in repr(vars(cache))
    assert len({digest for cache in caches for digest in cache._value_of}) == 2


def test_many_threads_keep_it_within_its_size() -> None:
    cache = KeyedCache[int](8)

    def use(number: int) -> bool:
        text = str(number % 32).encode()
        cache.put(text, number % 32)
        return cache.get(text) in (None, number % 32)

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(use, range(4000)))
    assert len(cache) == 8
