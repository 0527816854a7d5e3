"""Follow the alias `champion`, and swap the served ranker without dropping a request: one reference changes."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from registry import store
from registry.ranker import Ranker
from serving.metrics import RANKER_VERSION, RELOADS

logger = logging.getLogger(__name__)

WARM_UP = "Name three primary colours."


class NoChampion(RuntimeError):
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
    """
    version = store.alias_version(target_llm)
    if version is None:
        raise NoChampion(
            f"{store.model_name(target_llm)} has no champion in the registry at {store.configure_tracking()}:"
            f" train a ranker, then run `mlflow run . --env-manager local -e promote -P target_llm={target_llm}`"
            " (or serve without one: PARS_RANKING=off)."
        )
    return version


def load_champion(target_llm: str, version: int) -> Champion:
    """Fetch, check, load and warm up one version.

    Raises:
        registry.store.RegistryError: its files cannot be had.
        registry.card.InvalidRanker: it does not load, or is not for this target LLM.
        FloatingPointError: its first score is not finite.
    """
    ranker = Ranker.load(store.fetch(target_llm, version), target_llm)
    ranker.predict(WARM_UP)
    return Champion(version, ranker)


class ChampionFollower:
    """Holds the champion, and replaces it when the alias has moved."""

    def __init__(self, target_llm: str, poll_s: float) -> None:
        self._target_llm = target_llm
        self._poll_s = poll_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="champion")
        self._refused: int | None = None
        self._is_reachable = True
        self._serve(load_champion(target_llm, find_champion(target_llm)))

    async def follow(self) -> None:
        """Look at the alias again and again, until cancelled."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                await asyncio.sleep(self._poll_s)
                await loop.run_in_executor(self._thread, self.look)
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

    def look(self) -> None:
        """Swap the champion if the alias has moved. What does not load is refused, and the one before keeps serving."""
        version = self._version()
        if version in (None, self.champion.version, self._refused):
            return
        assert version is not None
        try:
            champion = load_champion(self._target_llm, version)
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
        logger.info("%s version %d is served.", store.model_name(self._target_llm), champion.version)

    def _version(self) -> int | None:
        try:
            version = store.alias_version(self._target_llm)
        except Exception as error:  # MLflow lets through what its HTTP or database library raises
            RELOADS.labels("unreachable").inc()
            if self._is_reachable:
                logger.warning("The registry cannot be asked for the champion; the one before keeps serving: %s", error)
            self._is_reachable = False
            return None
        self._is_reachable = True
        return version
