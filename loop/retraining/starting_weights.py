"""What a retraining starts from: the champion's weights, or where these do not serve the encoder's own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loop.retraining.config import WARM_EPOCHS, WARM_LEARNING_RATE, RetrainConfig
from registry.artefact.card import InvalidRanker, RankerCard
from registry.artefact.weights import fetch_weights
from registry.store import RegistryError
from training.recipe import Recipe


@dataclass(frozen=True)
class Start:
    """Settings of the training that follow from it, and the reason in a phrase."""

    says: str
    settings: Mapping[str, Any] = field(default_factory=dict)


def start_from(config: RetrainConfig, name: str, champion: int | None) -> Start:
    """The champion's weights, if there is one, they can be had, and nobody asks for something else."""
    if champion is None:
        return Start("from the encoder's own weights, since there is no champion yet")
    if config.start == "encoder":
        return Start("from the encoder's own weights, as start=encoder says")
    uri = f"models:/{name}/{champion}"
    try:
        card, _ = fetch_weights(uri)
    except (InvalidRanker, RegistryError) as error:
        return Start(f"from the encoder's own weights, since the champion's cannot be had ({error})")
    if config.encoder not in (Recipe.encoder, card.encoder):
        return Start(f"from {config.encoder}'s own weights, since the champion has another encoder ({card.encoder})")
    return Start(f"from the weights of version {champion}", {"init_from": uri, **_as_champion(config, card)})


def _as_champion(config: RetrainConfig, card: RankerCard) -> Mapping[str, Any]:
    is_default = config.max_tokens == Recipe.max_tokens
    return {
        "encoder": card.encoder,
        "max_tokens": card.max_tokens if is_default else config.max_tokens,
        "learning_rate": WARM_LEARNING_RATE,
        "epochs": WARM_EPOCHS,
    }
