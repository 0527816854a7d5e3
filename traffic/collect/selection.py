"""Which of the prompts are asked, and in which order."""

import os
from collections.abc import Callable, Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from traffic.collect.config import CollectConfig
from traffic.split import hashes_of

CHOICE = ".collect/choice-{}.npy"
ORDER_SEED = 1
"""Of the hash that orders prompts: not the split's, whose parts would come one after the other."""
Places = npt.NDArray[np.int64]


def chosen_places(config: CollectConfig, asked: Sequence[str]) -> Places:
    """Which of the prompts to ask, the first one first; the same ones at every start, whatever was asked before.

    Raises:
        InvalidInput: a ranker lacks what is needed.
        RegistryError: a ranker cannot be had.
    """
    return _in_order(config, asked)[: config.most]


def _in_order(config: CollectConfig, asked: Sequence[str]) -> Places:
    if config.choose == "first":
        return np.arange(len(asked))
    by_hash = np.argsort(hashes_of(asked, ORDER_SEED), kind="stable")
    if config.choose == "random":
        return by_hash
    return _kept(config, asked, lambda: _most_disputed_first(config, asked, by_hash))


def _most_disputed_first(config: CollectConfig, asked: Sequence[str], by_hash: Places) -> Places:
    from traffic.collect.disagreement import disagreements  # ONNX Runtime and MLflow, which others need not wait for

    disputed = disagreements(config, asked)
    return by_hash[np.argsort(-disputed[by_hash], kind="stable")]


def _kept(config: CollectConfig, asked: Sequence[str], order: Callable[[], Places]) -> Places:
    """An order that was found at an earlier start: the same, though another champion may have come, and at once."""
    path = (config.batch_out or config.out) / CHOICE.format(_digest(config, asked))
    if not path.is_file():
        found = order()
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        with part.open("wb") as file:
            np.save(file, found, allow_pickle=False)
        part.replace(path)
    return np.asarray(np.load(path, allow_pickle=False))


def _digest(config: CollectConfig, asked: Sequence[str]) -> str:
    digest = blake2b(repr((config.ranker, config.rankers)).encode(), digest_size=16)
    for one in asked:
        digest.update(one.encode() + b"\n")
    return digest.hexdigest()
