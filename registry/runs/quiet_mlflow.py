"""MLflow without what it prints, whatever its level of logging, of things that a command says itself."""

from collections.abc import Iterator
from contextlib import contextmanager

from mlflow.utils.logging_utils import disable_logging, enable_logging


@contextmanager
def quiet_mlflow() -> Iterator[None]:
    """In the block it writes nothing to standard error; what fails is raised all the same."""
    disable_logging()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        enable_logging()  # type: ignore[no-untyped-call]
