"""The least values of the whole numbers among a training's settings."""

from collections.abc import Mapping

from registry.errors import InvalidInput

LEAST: Mapping[str, int] = {
    "max_prompts": 2,
    "trials": 0,
    "seed": 0,
    "soup": 1,
    "epochs": 1,
    "batch_prompts": 2,
    "partners": 1,
    "batch_pairs": 1,
    "chunk_tokens": 1,
    "max_tokens": 8,
    "validation_prompts": 2,
    "validations_per_epoch": 1,
    "trial_prompts": 2,
    "trial_validation_prompts": 2,
    "unlabelled_prompts": 0,
    "distil_epochs": 0,
    "devices": 1,
}


def require_least(config: object) -> None:
    """Refuse a setting below its least value; one that is None is not given.

    Raises:
        InvalidInput: names the setting, its least value and the one received.
    """
    for name, least in LEAST.items():
        value = getattr(config, name)
        if value is not None and value < least:
            raise InvalidInput(f"{name} must be at least {least}, but got {value}.")
