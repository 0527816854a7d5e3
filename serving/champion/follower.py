"""Follow the alias `champion`, and swap the served ranker without dropping a request: one reference changes."""

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path

from registry import store
from registry.errors import UserError
from registry.ranker import Ranker
from registry.tracking import configure_tracking
from serving.champion.ranker_copies import RankerCopies
from serving.metrics import RANKER_SINCE, RANKER_VERSION, RELOADS
from serving.threads import DaemonThreads

logger = logging.getLogger(__name__)

WARM_UP = "Name three primary colours."
REGISTRY_TIMEOUT_S = 15.0
"""How long a start waits for the registry's word. MLflow's own retries would take minutes."""


class NoChampion(UserError, RuntimeError):
    """The registry has no champion for the target LLM; the message says how to get one."""


@dataclass(frozen=True)
class Champion:
    """A ranker that is served, and its version."""

    version: int
    ranker: Ranker


def find_champion(target_llm: str) -> int:
    """The version that the alias points to.

    Raises:
        NoChampion: there is none.
        RegistryError: the registry cannot be asked.
    """
    version = _ask_registry(target_llm)
    if version is None:
        raise NoChampion(
            f"{store.model_name(target_llm)} has no champion in the registry at {configure_tracking()}:"
            f" train a ranker, then run `mlflow run . --env-manager local -e promote -P target_llm={target_llm}`"
            " (or serve without one: PARS_RANKING=off)."
        )
    return version


def check_champion(target_llm: str, cache: RankerCopies) -> None:
    """Check that there is a ranker to start with, without loading it.

    Raises: what `find_champion` raises, unless the registry is unreachable and the cache holds a ranker.
    """
    try:
        find_champion(target_llm)
    except store.RegistryError:
        if cache.find(target_llm) is None:
            raise


def load_champion(target_llm: str, version: int, cache: RankerCopies) -> Champion:
    """Fetch, check, load, warm up and cache one version.

    Raises:
        registry.store.RegistryError: its files cannot be had.
        registry.card.InvalidRanker: it does not load, or is not for this target LLM.
        FloatingPointError: its first score is not finite.
    """
    folder = store.fetch(target_llm, version)
    champion = _load(target_llm, version, folder)
    cache.keep(target_llm, version, folder)
    return champion


def load_first_champion(target_llm: str, cache: RankerCopies) -> Champion:
    """The champion, or while the registry is unreachable the last one that was served here.

    Raises: what `find_champion` and `load_champion` raise.
    """
    try:
        return load_champion(target_llm, find_champion(target_llm), cache)
    except store.RegistryError as error:
        cached = cache.find(target_llm)
        if cached is None:
            raise
        version, folder = cached
        champion = _load(target_llm, version, folder)
        RELOADS.labels("cached").inc()
        logger.warning(
            "%s version %d, the last one served here, is loaded from the cache in %s, because the registry is"
            " unreachable: %s",
            *(store.model_name(target_llm), version, cache.folder, error),
        )
        return champion


class ChampionFollower:
    """Holds the champion, and replaces it when the alias has moved."""

    def __init__(self, target_llm: str, poll_s: float, cache: RankerCopies) -> None:
        self._target_llm = target_llm
        self._poll_s = poll_s
        self._cache = cache
        self._thread = DaemonThreads(1, "champion")
        self._refused: int | None = None
        self._is_reachable = True
        for outcome in ("swapped", "refused", "unreachable", "cached"):
            RELOADS.labels(outcome)  # they are there from the start, so that a first one is seen as a rise
        self._serve(load_first_champion(target_llm, cache))

    async def follow(self) -> None:
        """Look at the alias again and again, until cancelled."""
        try:
            while True:
                await asyncio.sleep(self._poll_s)
                await asyncio.wrap_future(self._thread.submit(self.look))
        finally:
            self._thread.close()

    def look(self) -> None:
        """Swap the champion if the alias has moved. What does not load is refused, and the one before keeps serving.

        While the registry, or where it keeps its files, is unreachable nothing changes, and the next look tries again.
        """
        try:
            self._follow_alias(store.alias_version(self._target_llm))
        except Exception as error:  # MLflow lets through what its HTTP or database library raises
            RELOADS.labels("unreachable").inc()
            if self._is_reachable:
                logger.warning("The registry is unreachable; the champion from before keeps serving: %s", error)
            self._is_reachable = False
        else:
            self._is_reachable = True

    def _follow_alias(self, version: int | None) -> None:
        if version is None or version in (self.champion.version, self._refused):
            return
        try:
            champion = load_champion(self._target_llm, version, self._cache)
        except store.RegistryError:
            raise
        except Exception as error:  # whatever is wrong with a new version must not stop the old one
            self._refused = version
            RELOADS.labels("refused").inc()
            logger.error("Version %d is refused, version %d keeps serving: %s", version, self.champion.version, error)
            return
        RELOADS.labels("swapped").inc()
        self._serve(champion)

    def _serve(self, champion: Champion) -> None:
        self.champion = champion
        self._refused = None
        RANKER_VERSION.labels(self._target_llm).set(champion.version)
        RANKER_SINCE.labels(self._target_llm).set_to_current_time()
        logger.info("%s version %d is served.", store.model_name(self._target_llm), champion.version)


def _ask_registry(target_llm: str) -> int | None:
    thread = DaemonThreads(1, "registry")
    try:
        return thread.submit(store.alias_version, target_llm).result(REGISTRY_TIMEOUT_S)
    except Exception as error:  # MLflow lets through what its HTTP or database library raises
        why = f"no answer after {REGISTRY_TIMEOUT_S:g} s" if isinstance(error, TimeoutError) else str(error)
        raise store.RegistryError(
            f"the registry at {configure_tracking()} must say which version is the champion, but cannot be"
            f" asked ({why}); start it, or set MLFLOW_TRACKING_URI."
        ) from error
    finally:
        thread.close()


def _load(target_llm: str, version: int, folder: Path) -> Champion:
    ranker = Ranker.load(folder, target_llm)
    ranker.predict(WARM_UP)
    return Champion(version, ranker)
