"""The tiny network of a ranker, as it is called in the event loop: tried out first, and watched from then on."""

import logging
from collections.abc import Callable
from contextlib import suppress
from statistics import median
from time import thread_time
from typing import Literal

from registry.artefact.card import REFERENCE_PROMPTS
from registry.ranker import Prediction, Ranker
from registry.request_features import Readable
from serving.threads import DaemonThreads

logger = logging.getLogger(__name__)

MEDIAN_LIMIT_S = 0.005
"""What one prompt of `NUM_CHARACTERS` may take at load, in the median: processor time, so that a busy machine refuses
none. The networks that we train take a fraction of a millisecond."""
NUM_CHARACTERS = 512
TRY_OUT_LIMIT_S = 10.0
"""How long all of them together may take."""
SLOW_CALL_S = 0.02
"""Processor time of a call that counts as slow."""
MOST_SLOW_CALLS = 5
"""So many among `CALLS_COUNTED_TOGETHER` switch the tier off: a graph may be fast at load and slow on other texts."""
CALLS_COUNTED_TOGETHER = 1000

State = Literal["on", "missing", "refused", "switched_off"]


class InstantTier:
    """What the event loop asks. Belongs to one ranker, so a swap begins anew. All methods belong to one event loop."""

    def __init__(self, ranker: Ranker, state: State = "on", seconds: Callable[[], float] = thread_time) -> None:
        self.state: State = state
        """Whether it is used; `missing`: the ranker has none, as those of version 0.1.0."""
        self._ranker = ranker
        self._seconds = seconds
        self._num_calls = self._num_slow_calls = 0

    @property
    def is_on(self) -> bool:
        """Whether it may be asked."""
        return self.state == "on"

    def predict(self, request: Readable) -> Prediction:
        """The prediction for one request.

        Raises: what `registry.ranker.Ranker.predict` raises, TimeoutError too.
        """
        started_s = self._seconds()
        is_ended = False
        try:
            return self._ranker.predict(request, "instant")
        except TimeoutError:
            is_ended = True
            raise
        finally:
            self._count(self._seconds() - started_s, is_ended)

    def _count(self, taken_s: float, is_ended: bool) -> None:
        if self._num_calls % CALLS_COUNTED_TOGETHER == 0:
            self._num_slow_calls = 0
        self._num_calls += 1
        self._num_slow_calls += taken_s > SLOW_CALL_S
        if is_ended and taken_s > SLOW_CALL_S:  # else it was the machine that was busy
            self._switch_off("one prompt took longer than an event loop can stand still")
        if self.is_on and self._num_slow_calls >= MOST_SLOW_CALLS:
            self._switch_off(f"{MOST_SLOW_CALLS} prompts took more than {1000 * SLOW_CALL_S:g} ms each")

    def _switch_off(self, why: str) -> None:
        self.state = "switched_off"
        logger.error("The instant tier of the ranker of %s is off until the next swap: %s.", self._target_llm, why)

    @property
    def _target_llm(self) -> str:
        return self._ranker.card.target_llm


def try_out(ranker: Ranker, limit_s: float = TRY_OUT_LIMIT_S) -> InstantTier:
    """The instant tier of a ranker, used if it has one and that is fast enough; the log says what is so otherwise."""
    target_llm = ranker.card.target_llm
    if "instant" not in ranker.tiers:
        logger.info(
            "The ranker of %s has no instant tier, as those of version 0.1.0: its encoder alone places requests, in the"
            " same order as ever, and each is held for it. Train it anew to have both.",
            target_llm,
        )
        return InstantTier(ranker, "missing")
    thread = DaemonThreads(1, "try-out")
    try:
        seconds = thread.submit(_median_s, ranker).result(limit_s)
        objection = f"it takes {1000 * seconds:.1f} ms" if seconds > MEDIAN_LIMIT_S else None
    except Exception as error:  # whatever it is, of ONNX Runtime too: the encoder serves
        objection = f"it fails ({type(error).__name__})"
    finally:
        thread.close()
    if objection is None:
        return InstantTier(ranker)
    logger.warning(
        "The instant tier of the ranker of %s must read a prompt of %d characters in %g ms, but %s: it is refused, and"
        " the encoder alone places requests. Train the ranker anew.",
        *(target_llm, NUM_CHARACTERS, 1000 * MEDIAN_LIMIT_S, objection),
    )
    return InstantTier(ranker, "refused")


def _median_s(ranker: Ranker) -> float:
    return median(_processor_s(ranker, prompt) for prompt in REFERENCE_PROMPTS)


def _processor_s(ranker: Ranker, prompt: str) -> float:
    text = (f"{prompt} " * NUM_CHARACTERS)[:NUM_CHARACTERS]
    started_s = thread_time()
    with suppress(TimeoutError):  # on a busy machine that says nothing of the graph
        ranker.predict(text, "instant")
    return thread_time() - started_s
