"""Which prompts train, validate and test: a function of the prompt's (or its group's) hash alone. Pure."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

Split = Literal["train", "validation", "test"]

VALIDATION_FROM, TEST_FROM = 0.8, 0.9


def split_of(key: str) -> Split:
    """The split of a prompt or group; no seed, file or row order can move it, so nothing leaks between runs."""
    place = hash_of(key) / 2**64
    if place >= TEST_FROM:
        return "test"
    return "validation" if place >= VALIDATION_FROM else "train"


def fill_all_splits(groups: Iterable[str]) -> bool:
    """Whether each split gets a group."""
    found: set[Split] = set()
    for group in groups:
        found.add(split_of(group))
        if len(found) == len(get_args(Split)):
            return True
    return False


def hash_of(text: str, seed: int | None = None) -> int:
    """A hash below 2**64 that is the same on every machine; each seed gives another one, none of them the split's."""
    salt = b"" if seed is None else b"seed" + seed.to_bytes(8, "big")  # no seed gives the hash of the split
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, salt=salt).digest(), "big")


def hashes_of(texts: Iterable[str], seed: int | None = None) -> npt.NDArray[np.uint64]:
    """The hash of each text."""
    return np.fromiter((hash_of(text, seed) for text in texts), dtype=np.uint64)
