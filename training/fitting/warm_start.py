"""Start a training from another ranker's weights instead of the encoder's own."""

from typing import TypeVar

from registry.artefact.card import Grouping, RankerCard
from registry.artefact.weights import fetch_weights
from registry.errors import InvalidInput
from registry.store import ranker_folder
from training.config import TrainingConfig

Config = TypeVar("Config", bound=TrainingConfig)


def with_fetched_start(config: Config) -> Config:
    """The config with `init_from` as a local folder that holds the weights.

    Fetched once, before a study: an alias that moves meanwhile must not give its fits different starts.

    Raises:
        InvalidInput: that ranker has another encoder.
        RegistryError, InvalidRanker: it cannot be had, or has no float weights.
    """
    if config.init_from is None:
        return config
    card, weights = fetch_weights(config.init_from)
    if card.encoder != config.encoder:
        raise InvalidInput(
            f"init_from must be a ranker of the same encoder, but {config.init_from} was trained with {card.encoder!r}"
            f" and encoder is {config.encoder!r}; give encoder={card.encoder} or another ranker."
        )
    return config.with_values({"init_from": str(weights.parent)})


def grouping_of_start(config: TrainingConfig) -> dict[str, tuple[Grouping, ...]]:
    """How the data of the ranker that `init_from` names was grouped, by its name; nothing where none is given.

    Raises:
        RegistryError, InvalidRanker: it cannot be had.
    """
    if config.init_from is None:
        return {}
    return {config.init_from: RankerCard.read(ranker_folder(config.init_from)).grouped_by}
