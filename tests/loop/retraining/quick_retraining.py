"""A retraining whose network is made by hand, so that it takes a second; `python -m ...` has it die at a given call.

`python -m tests.loop.retraining.quick_retraining STORE JOURNAL MODULE:FUNCTION WHEN`: the process ends as by SIGKILL,
with nothing unwound, before or after that function is called first.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from pkgutil import resolve_name
from tempfile import mkdtemp
from typing import Any
from unittest import mock

import mlflow
import numpy as np

from loop.retraining.config import RetrainConfig
from loop.retraining.retrain import retrain
from registry import store
from registry.runs.stored_run import stored_run
from tests.conftest import tracking
from tests.loop.retraining.served_days import KINDS, TARGET_LLM, TOKENS
from tests.rankers import write_ranker

KNOWS = {kind: 10 * float(np.log(tokens)) for kind, tokens in zip(KINDS, TOKENS, strict=True)}
"""What its words weigh: a ranker that knows how long the answers of each kind are."""
DIED = 9


class Trained:
    def __init__(self, version: int) -> None:
        self.version = version


def trained_by_hand(_: Any, tags: Mapping[str, str]) -> Trained:
    with stored_run(f"train {TARGET_LLM}"):
        folder = write_ranker(Path(mkdtemp()), TARGET_LLM, weight=0.0, word_weights=KNOWS)
        return Trained(store.register(folder, tags=tags))


@contextmanager
def quick() -> Iterator[None]:
    """In the block no network is trained. `patch.dict` would forget all modules that are imported in it."""
    name = "training.train"
    before, sys.modules[name] = sys.modules.get(name), mock.MagicMock(train=trained_by_hand)
    try:
        yield
    finally:
        del sys.modules[name]
        if before is not None:
            sys.modules[name] = before


def config(journal: Path) -> RetrainConfig:
    return RetrainConfig(target_llm=TARGET_LLM, journal=journal, simulated_tokens=0, encoder_ms=1000)


def dying(function: Callable[..., Any], when: str) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        if when == "after":
            function(*args, **kwargs)
        os._exit(DIED)

    return call


if __name__ == "__main__":
    uri, journal, name, when = sys.argv[1:]
    with tracking(uri), quick():
        mlflow.set_experiment("killed")
        target = name.replace(":", ".")
        with mock.patch(target, dying(resolve_name(name), when)):
            retrain(config(Path(journal)))
