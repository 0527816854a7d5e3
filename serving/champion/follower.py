"""Follow the alias `champion`, and swap the served ranker without dropping a request: one reference changes."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from math import nan
from pathlib import Path
from typing import Literal

from registry import store, watch
from registry.errors import UserError
from registry.runs.mlflow_failures import sentence_of
from registry.secrets import without_passwords
from registry.tracking import configure_tracking
from registry.watch import RegisteredVersion
from serving.champion.ordering_switch import OrderingSwitch
from serving.champion.ranker_copies import RankerCopies
from serving.champion.ranker_sources import SOURCES, Champion, from_cache, from_folder, from_registry
from serving.champion.score_cache import ScoreCache
from serving.champion.yesterday_line import show_yesterday
from serving.metrics import (
    RANKER_INSTANT,
    RANKER_REFERENCE_ERROR,
    RANKER_SINCE,
    RANKER_SOURCE,
    RANKER_VERSION,
    REGISTRY_LOOKED_AT,
    RELOADS,
    show_gate,
)
from serving.threads import TimedCalls

logger = logging.getLogger(__name__)

LOOK_LIMIT_S = 8.0
"""How long the registry may take to say which version is the champion."""
DOWNLOAD_LIMIT_S = 300.0
"""How long its files may take; the line to them may be slow."""
LOAD_LIMIT_S = 30.0
"""How long a ranker on this machine may take to load."""

Finding = Literal["unknown", "champion", "no_champion", "refused", "unreachable"]
"""What the last look at the registry came to."""


class ChampionFollower:
    """Holds the champion of one target LLM, and replaces it when the alias has moved. Belongs to one event loop."""

    def __init__(
        self, target_llm: str, poll_s: float, cache: RankerCopies, switch: OrderingSwitch, scores_kept: int = 0
    ) -> None:
        """`scores_kept`: of how many texts it is remembered what the encoder said."""
        self.champion: Champion | None = None
        """What is served; None until there is something."""
        self.finding: Finding = "unknown"
        self.trouble = "the registry has not answered yet"
        """Why the champion is not served, as a sentence's part, if it is not."""
        self.has_looked = asyncio.Event()
        self._target_llm = target_llm
        self._poll_s = poll_s
        self._cache = cache
        self._switch = switch
        self._scores_kept = scores_kept
        self._calls = TimedCalls("registry")
        self._served: RegisteredVersion | None = None
        self._refused: RegisteredVersion | None = None
        for outcome in ("swapped", "refused", "unreachable", "cached"):
            RELOADS.labels(outcome)  # they are there from the start, so that a first one is seen as a rise
        REGISTRY_LOOKED_AT.labels(target_llm)
        show_yesterday(target_llm, None)
        self._show()

    async def follow(self) -> None:
        """Look at the alias again and again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self._poll_s)

    async def look(self) -> None:
        """Swap the champion if the alias has moved. What does not load is refused, and the one before keeps serving.

        While the registry, or where it keeps its files, is unreachable nothing changes, and the next look tries again.
        """
        try:
            sighting = await self._calls.call(LOOK_LIMIT_S, watch.look, self._target_llm)
            REGISTRY_LOOKED_AT.labels(self._target_llm).set_to_current_time()
            self._switch.hear_tag(self._target_llm, sighting.ordering)
            show_yesterday(self._target_llm, sighting.yesterday)
            await self._follow_alias(sighting.champion)
        except Exception as error:  # MLflow lets through what its HTTP or database library raises
            self._note_unreachable(error)
        self._show()  # what has become of its instant tier meanwhile
        self.has_looked.set()

    async def stand_in(self, fallback: Path | None) -> None:
        """Serve what there is instead of a champion: the last ranker that was served here, or the fallback."""
        await self._stand_in("the cache", lambda: from_cache(self._target_llm, self._cache))
        if fallback is not None:
            await self._stand_in("PARS_FALLBACK_RANKER", lambda: from_folder(self._target_llm, fallback))

    def say_if_missing(self) -> None:
        """A log line if there is no ranker."""
        if self.champion is None:
            logger.warning(
                "Requests to %s are served first come, first served until it has a ranker: %s.",
                *(self._target_llm, self.trouble),
            )

    async def _follow_alias(self, version: RegisteredVersion | None) -> None:
        if version is not None:
            show_gate(self._target_llm, version.gate)
        if version is None:
            self._note("no_champion", no_champion(self._target_llm))
        elif version == self._served:
            self._note("champion", "")
        elif version == self._refused:
            self.finding = "refused"
        else:
            await self._follow_to(version)

    async def _follow_to(self, version: RegisteredVersion) -> None:
        try:
            champion = await self._calls.call(DOWNLOAD_LIMIT_S, from_registry, self._target_llm, version, self._cache)
        except (store.RegistryError, OSError):  # nothing is wrong with the version
            raise
        except Exception as error:  # whatever is wrong with a new version must not stop the old one
            self._refuse(version, error)
            return
        self._note("champion", "")
        self._served, self._refused = version, None
        is_start = self.champion is None and not self.has_looked.is_set()
        if not (is_start or champion.is_same_ranker(self.champion)):
            RELOADS.labels("swapped").inc()
        self._serve(champion)

    async def _stand_in(self, place: str, load: Callable[[], Champion | None]) -> None:
        if self.champion is not None:
            return
        try:
            found = await self._calls.call(LOAD_LIMIT_S, load)
        except Exception as error:  # the next thing there is may do
            logger.warning("The ranker in %s cannot be served: %s", place, error)
            return
        if found is not None and self.champion is None:  # the registry may have answered meanwhile
            RELOADS.labels("cached").inc(found.source == "cached")
            logger.warning(
                "A ranker in %s stands in for the champion of %s: %s.", place, self._target_llm, self.trouble
            )
            self._serve(found)

    def _serve(self, champion: Champion) -> None:
        is_new = not champion.is_same_ranker(self.champion)
        self.champion = replace(champion, scores=ScoreCache(self._scores_kept))
        if is_new:
            RANKER_SINCE.labels(self._target_llm).set_to_current_time()
            which = "the fallback" if champion.version is None else f"version {champion.version}"
            logger.info("%s %s is served.", store.model_name(self._target_llm), which)
        self._show()

    def _show(self) -> None:
        served = self.source
        for source in SOURCES:
            RANKER_SOURCE.labels(self._target_llm, source).set(source == served)
        RANKER_VERSION.labels(self._target_llm).set(self.champion.version or 0 if self.champion else 0)
        RANKER_INSTANT.labels(self._target_llm).set(self.champion is not None and self.champion.instant_state == "on")
        error = self.champion.ranker.reference_error if self.champion else None
        RANKER_REFERENCE_ERROR.labels(self._target_llm).set(nan if error is None else error)

    @property
    def source(self) -> str:
        """Where the ranker that is served comes from; `none` if there is none."""
        return self.champion.source if self.champion else "none"

    def _refuse(self, version: RegisteredVersion, error: Exception) -> None:
        self._refused = version
        RELOADS.labels("refused").inc()
        logger.error("Version %d is refused, %s: %s", version.number, _what_goes_on(self.champion), error)
        self._note("refused", f"version {version.number} is refused, since {error}")

    def _note_unreachable(self, error: Exception) -> None:
        RELOADS.labels("unreachable").inc()
        if self.finding != "unreachable" and self.champion is not None:
            logger.warning("The registry is unreachable; the champion from before keeps serving: %s", _said_of(error))
        self._note("unreachable", unreachable(error))

    def _note(self, finding: Finding, trouble: str) -> None:
        self.finding = finding
        self.trouble = trouble.removesuffix(".")


def _what_goes_on(champion: Champion | None) -> str:
    if champion is None:
        return "nothing was served before"
    return f"version {champion.version or 'of the fallback'} keeps serving"


def no_champion(target_llm: str) -> str:
    """Why a target LLM has no champion and what to do, as a sentence's part."""
    return (
        f"{store.model_name(target_llm)} has no champion in the registry at {without_passwords(configure_tracking())}:"
        f" train a ranker, then run `mlflow run . --env-manager local -e promote -P target_llm={target_llm}`"
        " (or serve without one: PARS_RANKING=off)"
    )


def unreachable(error: Exception) -> str:
    """Why a champion could not be had and what to do, as a sentence's part."""
    return (
        f"the registry at {without_passwords(configure_tracking())} must say which version is the champion, but"
        f" {_said_of(error).removesuffix('.')}"
    )


def _said_of(error: Exception) -> str:
    return str(error) if isinstance(error, UserError) else without_passwords(sentence_of(error))
