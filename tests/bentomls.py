"""BentoML's own modules, for what this project leans on in them; importing them warns of what they use themselves."""

import warnings
from importlib import import_module
from typing import Any


def bentomls(module: str) -> Any:
    """One of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module(module)
