"""The watch over a running server: it hears of each answer, and shows on the metrics page what they say of the rankers.

The event loop only puts answers aside; a thread of its own judges them, some at a time. Whatever fails in here costs a
figure on a page, never an answer.
"""

import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from time import time
from typing import NamedTuple

from registry.artefact.card import RankerCard
from serving.champion.served_rankers import EngineRankers
from serving.drift import drift_gauges
from serving.drift.detectors import BLOCK_ANSWERS
from serving.drift.target_drift import TargetDrift
from serving.drift.watched_answer import Reference, WatchedAnswer
from serving.journal.served_request import ServedRequest
from serving.threads import DaemonThreads

logger = logging.getLogger(__name__)

ANSWERS_AT_ONCE = BLOCK_ANSWERS
"""How many are judged together: a block, and the rolling figures, cost some milliseconds."""

ALARM = (
    "The ranker of %s is not what its card says any more (%s): look at it with `pars watch`, or train a new one from"
    " the journal."
)

CardOf = Callable[[str, str], RankerCard | None]
"""The card of the ranker with this digest, if it is the one that a target LLM has now."""


class Aside(NamedTuple):
    """Answers that are to be judged, of the ranker with this card."""

    digest: str
    card: RankerCard
    answers: list[WatchedAnswer]


class LiveDrift:
    """Watches the rankers of all target LLMs. Its methods belong to one event loop."""

    def __init__(self, card_of: CardOf, clock_s: Callable[[], float] = time) -> None:
        self._card_of = card_of
        self._clock_s = clock_s
        self._thread = DaemonThreads(1, "drift")
        self._aside: dict[str, Aside] = {}
        self._drift_of: dict[str, tuple[str, TargetDrift]] = {}
        """With the digest of the ranker; of the thread alone."""
        self._failures: set[str] = set()

    def note(self, served: ServedRequest) -> None:
        """Take note of a request that is over, however it ended."""
        try:
            self._note(served)
        except Exception as error:  # whatever it is: no request fails because it is watched
            self._say(error)

    def close(self) -> None:
        """Let the thread end."""
        self._thread.close()

    def _note(self, served: ServedRequest) -> None:
        place = served.admitted.place if served.admitted is not None else None
        if served.admitted is None or place is None or place.ranker is None or not served.has_one_answer:
            return
        tokens = served.output_tokens.get(0, 0)
        if place.tier is None or place.predicted_tokens is None or not tokens:
            return
        is_censored = not served.has_ended_by_itself
        answer = WatchedAnswer(
            place.predicted_tokens, tokens, is_censored, place.tier, place.correction, self._clock_s()
        )
        self._put_aside(served.admitted.target_llm, place.ranker.digest, answer)

    def _put_aside(self, target_llm: str, digest: str, answer: WatchedAnswer) -> None:
        aside = self._aside.get(target_llm)
        if aside is None or aside.digest != digest:
            card = self._card_of(target_llm, digest)
            if card is None:  # placed by a ranker that has been replaced
                return
            aside = self._aside[target_llm] = Aside(digest, card, [])
        aside.answers.append(answer)
        if len(aside.answers) >= ANSWERS_AT_ONCE:
            del self._aside[target_llm]
            self._thread.submit(self._judge, target_llm, aside)

    def _judge(self, target_llm: str, aside: Aside) -> None:
        try:
            digest, drift = self._drift_of.get(target_llm, ("", None))
            if drift is None or digest != aside.digest:
                drift = TargetDrift(Reference.of(aside.card))
                self._drift_of[target_llm] = (aside.digest, drift)
            for answer in aside.answers:
                block = drift.add(answer)
                if block is not None and block.begun:
                    logger.warning(ALARM, target_llm, ", ".join(block.begun))
            drift_gauges.show(target_llm, drift)
        except Exception as error:  # the next ones may do
            self._say(error)

    def _say(self, error: Exception) -> None:
        kind = type(error).__name__  # an exception's words could quote a prompt
        if kind not in self._failures:
            self._failures.add(kind)
            logger.error("Answers are not watched: %s.", kind)


def start_drift(rankers: EngineRankers | None, stack: AsyncExitStack) -> LiveDrift | None:
    """The watch over the rankers of an engine until the stack is left; None where nothing is ranked."""
    if rankers is None:
        return None
    drift = LiveDrift(partial(served_card, rankers))
    stack.callback(drift.close)
    for target_llm in rankers.target_llms:
        drift_gauges.show_nothing_yet(target_llm)
    return drift


def served_card(rankers: EngineRankers, target_llm: str, digest: str) -> RankerCard | None:
    """The card of the ranker with this digest, if a target LLM is served by it now."""
    if not rankers.has_ranker(target_llm):
        return None
    champion = rankers.ranker(target_llm).champion
    return champion.ranker.card if champion.digest == digest else None
