"""Where the ranker of a target LLM can come from: the registry, the cache, or a folder that the operator names."""

import logging
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

from registry import store, watch
from registry.artefact.card import CARD_FILE
from registry.artefact.files import sha256_of
from registry.ranker import Ranker
from registry.watch import MODEL_FILE, RegisteredVersion, data_folder
from serving.champion.instant_tier import InstantTier, State, try_out
from serving.champion.ranker_copies import RankerCopies
from serving.champion.score_cache import ScoreCache
from serving.request_stages import RankerName

logger = logging.getLogger(__name__)

Source = Literal["champion", "cached", "fallback"]
SOURCES: tuple[str, ...] = (*get_args(Source), "none")
WARM_UP = "Name three primary colours."


@dataclass(frozen=True)
class Champion:
    """A ranker that is served, and what it is: the champion, or what stands in for it."""

    version: int | None
    """None if it is not known: a fallback has none."""
    ranker: Ranker
    source: Source = "champion"
    instant: InstantTier | None = field(default=None, compare=False)
    """Its tiny network, as the event loop asks it; None if it was not tried out."""
    scores: ScoreCache = field(default_factory=ScoreCache, compare=False)
    """What its encoder has said lately."""
    digest: str = field(default="", compare=False)
    """Of its card."""

    @cached_property
    def name(self) -> RankerName:
        """What it is called where its predictions are written down."""
        target_llm = self.ranker.card.target_llm
        address = None if self.version is None else f"models:/{store.model_name(target_llm)}/{self.version}"
        return RankerName(address, self.digest)

    @property
    def instant_state(self) -> State:
        """Whether its tiny network is used, or why not."""
        return "missing" if self.instant is None else self.instant.state

    def is_same_ranker(self, other: "Champion | None") -> bool:
        """Whether both are the same files under the same version. A card holds the digests of all others."""
        return other is not None and (self.version, self.ranker.card) == (other.version, other.ranker.card)


def from_registry(target_llm: str, version: RegisteredVersion, cache: RankerCopies) -> Champion:
    """Download, check, load, warm up and cache one version.

    Raises:
        registry.store.RegistryError: its files cannot be had.
        registry.artefact.card.InvalidRanker: it is no ranker, does not load, or is not for this target LLM.
        FloatingPointError: its first score is not finite.
        OSError: there is no folder that can be written.
    """
    with cache.fresh_folder(target_llm) as folder:
        watch.download(target_llm, version.number, folder)
        champion = _ready(version.number, _load(folder, target_llm), "champion", folder)
        cache.keep(target_llm, version.number, folder)
    return champion


def from_cache(target_llm: str, cache: RankerCopies) -> Champion | None:
    """The last ranker that was served here; None if there is none.

    Raises: what loading a ranker raises.
    """
    with cache.last(target_llm) as found:
        if found is None:
            return None
        version, folder = found
        return _ready(version, _load(folder, target_llm), "cached", folder)


def from_folder(target_llm: str, folder: Path) -> Champion:
    """The ranker in a folder, or in that of a downloaded model. It may be another target LLM's; that is said.

    Raises: what loading a ranker raises.
    """
    if (folder / MODEL_FILE).is_file():
        folder = folder / data_folder(folder / MODEL_FILE)
    ranker = _load(folder, None)
    if ranker.card.target_llm != target_llm:
        logger.warning("The fallback ranker of %r was trained for %r.", target_llm, ranker.card.target_llm)
    return _ready(None, ranker, "fallback", folder)


def _load(folder: Path, target_llm: str | None) -> Ranker:
    ranker = Ranker.load(folder, target_llm)
    ranker.predict(WARM_UP)
    return ranker


def _ready(version: int | None, ranker: Ranker, source: Source, folder: Path) -> Champion:
    return Champion(version, ranker, source, try_out(ranker), digest=sha256_of(folder / CARD_FILE))
