"""What the registry knows of earlier retrainings: versions, their requests, and what the gate said of them."""

from collections.abc import Mapping
from dataclasses import dataclass

import mlflow

from registry import store
from registry.promotion import GATE_TAG

WINDOW_TAG, UNTIL_TAG, CHAMPION_TAG = "retrained_on", "retrained_until_s", "retrained_beside"
"""Tags of a version that a retraining made: the digest of the requests, when the newest came, and who was champion."""
REFUSED = "refused"
NOBODY = "nobody"


@dataclass(frozen=True)
class Retrained:
    """A version that a retraining made."""

    number: int
    digest: str
    until_s: float
    champion: str
    """The version that was the champion then, or `nobody`."""
    gate: str | None
    """What the gate decided; None if it has not."""
    is_settled: bool
    """Whether it has, and what it decided was done: one that it promoted is no challenger any more."""


@dataclass(frozen=True)
class Past:
    """What stands in the registry now."""

    name: str
    """Of the registered model."""
    champion: int | None
    retrained: tuple[Retrained, ...]
    """The oldest first."""

    @property
    def until_s(self) -> float | None:
        """When the newest request came that a retraining has looked at."""
        return max((one.until_s for one in self.retrained if one.is_settled), default=None)

    def of(self, digest: str) -> Retrained | None:
        """The newest version that was made of these requests beside this champion, or is it."""
        mine = [
            one
            for one in self.retrained
            if one.digest == digest and (one.champion == champion_text(self.champion) or one.number == self.champion)
        ]
        return mine[-1] if mine else None


def read_past(name: str) -> Past:
    """What the registry says of a registered model; of one that is not there nothing."""
    model = store.find_model(name)
    if model is None:
        return Past(name, None, ())
    champion = model.aliases.get(store.CHAMPION)
    versions = mlflow.MlflowClient().search_model_versions(f"name = '{name}'")
    challenger = model.aliases.get(store.CHALLENGER)
    retrained = (
        _retrained(int(one.version), one.tags, str(one.version) == str(challenger))
        for one in versions
        if WINDOW_TAG in one.tags
    )
    ordered = sorted(retrained, key=lambda one: one.number)
    return Past(name, None if champion is None else int(champion), tuple(ordered))


def champion_text(champion: int | None) -> str:
    """As the tag says it."""
    return NOBODY if champion is None else str(champion)


def _retrained(number: int, tags: Mapping[str, str], is_challenger: bool) -> Retrained:
    gate = tags.get(GATE_TAG)
    return Retrained(
        number=number,
        digest=tags[WINDOW_TAG],
        until_s=float(tags.get(UNTIL_TAG, "-inf")),
        champion=tags.get(CHAMPION_TAG, NOBODY),
        gate=gate,
        is_settled=gate == REFUSED or (gate is not None and not is_challenger),
    )
