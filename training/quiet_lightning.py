"""Lightning without its greetings, tips and other people's deprecations: none is about a training of ours."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """While a trainer fits."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", r"`isinstance\(treespec, LeafSpec\)` is deprecated"
        )  # Lightning with torch 2.13
        warnings.filterwarnings("ignore", "Checkpoint directory .* exists and is not empty")  # that is its purpose
        yield
