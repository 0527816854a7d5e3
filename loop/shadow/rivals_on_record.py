"""The two rankers of a shadow: the champion, and who scores beside it."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import mlflow
import numpy as np

from loop.fresh.fresh_requests import Flags, FreshRequests
from loop.gate.checks.scored import Scored, scored
from loop.gate.contestants import Contestant, read_contestant
from loop.gate.judged.unseen import came_later, tests_by_hash
from loop.shadow.config import ShadowConfig
from registry import store
from registry.artefact.card import REFERENCE_TOLERANCE, InvalidRanker
from registry.errors import InvalidInput
from registry.ranker import Ranker, Tier
from registry.store import CHALLENGER, CHAMPION

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rival:
    """A ranker, and where it comes from."""

    who: str
    uri: str
    ranker: Ranker
    contestant: Contestant | None = None
    """What the registry knows of it; None of one that is not registered for this target LLM."""

    @property
    def reference(self) -> str:
        """Whether it scores here as it did where it was trained: a sentence."""
        error = self.ranker.reference_error
        if error is None:
            return (
                f"Nobody knows whether the {self.who} ({self.uri}) scores here as it did: its card has no such scores."
            )
        if error > REFERENCE_TOLERANCE:
            return (
                f"The {self.who} ({self.uri}) does not score here as where it was trained: off by {error:.3f} of the"
                f" spread of its scores, where rounding explains {REFERENCE_TOLERANCE:g}; score it on the machine that"
                " serves."
            )
        return f"The {self.who} ({self.uri}) scores here as where it was trained: off by {error:.2g} of their spread."

    def surely_did_not_learn(self, requests: FreshRequests) -> Flags:
        """Which requests cannot have trained it: they came later, or their hash kept them from it."""
        by_hash = tests_by_hash(requests, self.ranker.card)
        flags = np.zeros(len(requests), dtype=np.bool_) if by_hash is None else by_hash
        return flags if self.contestant is None else flags | came_later(requests, self.contestant)


@dataclass(frozen=True)
class Rivals:
    """Both, and the tiers that both have."""

    challenger: Rival
    champion: Rival

    def __iter__(self) -> Iterator[Rival]:
        return iter((self.champion, self.challenger))

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """Those that can be compared."""
        return tuple(tier for tier in self.challenger.ranker.tiers if tier in self.champion.ranker.tiers)

    def surely_did_not_learn(self, requests: FreshRequests) -> Flags:
        """Which requests can have trained neither."""
        return self.challenger.surely_did_not_learn(requests) & self.champion.surely_did_not_learn(requests)

    def scores(self, requests: FreshRequests) -> Mapping[str, Scored]:
        """What each says of the requests, uncorrected, by who it is; with progress."""
        return {one.who: scored(one.who, one.ranker, requests) for one in self}


def read_rivals(config: ShadowConfig) -> Rivals:
    """Fetch both.

    Raises:
        InvalidInput: there is no champion, or nobody beside it, or both are one.
        RegistryError, InvalidRanker: one cannot be had, does not load, or is another target LLM's.
    """
    name, champion = store.model_name(config.target_llm), store.alias_version(config.target_llm)
    if champion is None:
        raise InvalidInput(
            f"a challenger is compared with the champion, but {name} has none; promote a version first (pars promote),"
            " or evaluate the ranker alone (pars evaluate)."
        )
    rivals = Rivals(
        _rival(CHALLENGER, _challenger_uri(config, name), config.target_llm),
        _rival(CHAMPION, f"models:/{name}/{champion}", config.target_llm),
    )
    if rivals.challenger.ranker.card.sha256 == rivals.champion.ranker.card.sha256:
        raise InvalidInput(
            f"two rankers must differ to be compared, but {rivals.challenger.uri} holds the same files as the champion"
            f" ({rivals.champion.uri}); give another version=N or ranker=URI."
        )
    return rivals


def _challenger_uri(config: ShadowConfig, name: str) -> str:
    if config.ranker is not None:
        return config.ranker
    version = config.version or store.alias_version(config.target_llm, CHALLENGER)
    if version is None:
        raise InvalidInput(
            f"{name} has no challenger to score beside the champion; give version=N or ranker=URI, or train one."
        )
    return f"models:/{name}/{version}"


def _rival(who: str, uri: str, target_llm: str) -> Rival:
    version = _version_of(uri, store.model_name(target_llm))
    if version is None:
        return Rival(who, uri, _loaded(who, uri, target_llm))
    found = read_contestant(target_llm, version)
    if found.ranker is None:
        raise InvalidRanker(f"the {who} {uri} cannot be compared: {found.fault}")
    return Rival(who, found.uri, found.ranker, found)


def _version_of(uri: str, name: str) -> int | None:
    """Of a registered model of this name; None of any other ranker."""
    if uri.startswith(f"models:/{name}@"):
        alias = uri.partition("@")[2]
        return int(mlflow.MlflowClient().get_model_version_by_alias(name, alias).version)
    version = uri.removeprefix(f"models:/{name}/")
    return int(version) if version.isdecimal() else None


def _loaded(who: str, uri: str, target_llm: str) -> Ranker:
    if not uri.startswith("models:/") and not Path(uri).is_dir():
        raise InvalidInput(f"a ranker is models:/NAME@ALIAS, models:/NAME/VERSION or a folder, but got {uri!r}.")
    try:
        return Ranker.load(store.ranker_folder(uri), target_llm)
    except InvalidRanker as error:
        raise InvalidRanker(f"the {who} {uri} cannot be compared: {error}") from error
