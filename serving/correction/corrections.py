"""The running correction as the rest of the server knows it: a factor for a request, and word of what became of it.

Whatever fails in here is counted and costs a request its correction, never its answer.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from math import inf, log
from time import monotonic
from typing import TypeVar

from registry.request import Conversation
from serving.api_bodies import View
from serving.correction.target_correction import TargetCorrection, bounded
from serving.correction.templates import origin_of
from serving.journal.keys import Keys
from serving.journal.served_request import ServedRequest
from serving.metrics import CORRECTION, CORRECTION_AT_BOUND, CORRECTION_FAILURES, CORRECTION_ORIGINS
from serving.origin import NOBODY, Origin

logger = logging.getLogger(__name__)

Result = TypeVar("Result")


class Corrections:
    """The corrections of all target LLMs. All methods belong to one event loop."""

    def __init__(self, keys: Keys | None, clock_s: Callable[[], float] = monotonic) -> None:
        """Without keys it is off: every factor is 1, and nothing is remembered."""
        self._keys = keys
        self._clock_s = clock_s
        self._of: dict[str, TargetCorrection] = {}
        self._failures: set[str] = set()

    @property
    def targets(self) -> Mapping[str, TargetCorrection]:
        """What is known of each target LLM."""
        return self._of

    def begin_with(self, targets: Mapping[str, TargetCorrection]) -> None:
        """Go on from what was known at another start."""
        self._of.update(targets)

    def origin(self, credential: str, conversation: Conversation | None, view: View) -> Origin:
        """Where a request comes from, of which its client's credential, its chat and what a ranker reads are given."""
        if self._keys is None:
            return NOBODY
        return self._or(NOBODY, partial(origin_of, credential, conversation, view, self._keys))

    def factor(self, target_llm: str, digest: str, origin: Origin) -> float:
        """By what the predictions of the ranker with this digest are multiplied for a request of this origin."""
        if self._keys is None:
            return 1.0
        return self._or(1.0, lambda: self._target(target_llm, digest).factor(origin))

    @contextmanager
    def following(self, served: ServedRequest, origin: Origin) -> Iterator[None]:
        """While the block lasts a request that was let go runs; at its end it is told what became of it."""
        end = self._or(None, partial(self._begin, served, origin)) if self._keys is not None else None
        try:
            yield
        finally:
            if end is not None:
                self._or(None, end)

    def introduce(self, target_llm: str) -> None:
        """Let the metrics page know of a target LLM before anything is known of it."""
        CORRECTION.labels(target_llm).set(1)
        CORRECTION_ORIGINS.labels(target_llm).set(0)
        CORRECTION_AT_BOUND.labels(target_llm).set(0)

    def show(self) -> None:
        """Look at each target LLM as a whole, for the metrics page too. To be called every few seconds."""
        self._or(None, self._show)

    def _show(self) -> None:
        for target_llm, target in self._of.items():
            target.look()
            CORRECTION.labels(target_llm).set(bounded(target.log_factor))
            CORRECTION_ORIGINS.labels(target_llm).set(sum(1 for _ in target.tenants.templates()))
            CORRECTION_AT_BOUND.labels(target_llm).set(target.share_at_bound)

    def _target(self, target_llm: str, digest: str) -> TargetCorrection:
        found = self._of.get(target_llm)
        if found is None or found.digest != digest:
            found = self._of[target_llm] = TargetCorrection(digest, self._clock_s)
        return found

    def _begin(self, served: ServedRequest, origin: Origin) -> Callable[[], None] | None:
        """What is to be done at its end; None for what no tier placed, and where one request has several answers."""
        admitted = served.admitted
        place = admitted.place if admitted is not None else None
        if admitted is None or place is None or place.predicted_tokens is None or place.ranker is None:
            return None
        if not served.has_one_answer:
            return None
        target = self._of.get(admitted.target_llm)
        if target is None or target.digest != place.ranker.digest:  # placed by a ranker that has been replaced
            return None
        above = partial(_log_ratio, served, max(place.predicted_tokens, 1.0))
        run = target.begin(origin, above)
        return lambda: target.end(run, above(), served.has_ended_by_itself)

    def _or(self, otherwise: Result, do: Callable[[], Result]) -> Result:
        try:
            return do()
        except Exception as error:  # whatever it is: no request fails because of a correction
            CORRECTION_FAILURES.inc()
            kind = type(error).__name__
            if kind not in self._failures:  # once, since it may be so for each request
                self._failures.add(kind)
                logger.error("Requests go uncorrected: %s.", kind)
            return otherwise


def _log_ratio(served: ServedRequest, predicted_tokens: float) -> float:
    """Of what it has answered so far. An answer that is not streamed says nothing of itself before its end."""
    tokens = served.output_tokens.get(0, 0)
    return log(tokens / predicted_tokens) if tokens else -inf
