"""What goes wrong with a ranking: it is counted by its reason, and some of it is said in the log, now and then."""

import logging
import time
from collections.abc import Callable

from registry.ranker import Tier
from serving.metrics import FAIL_OPENS, TIER_FAILURES

logger = logging.getLogger(__name__)

OUR_REASONS = ("budget", "backlog", "hanging", "error", "not_finite")
"""Why neither tier has found a place, where that is not the client's doing: worth a log line, and an alert, so their
counters are there from the start. `budget`: the encoder was late, which alone could read it, and the engine had room;
`backlog`: it was late, and requests waited in the engine."""
TIER_REASONS = ("error", "not_finite", "hanging")
LOG_EVERY_S = 10.0


class Failures:
    """Counts what goes wrong with the rankings of one target LLM."""

    def __init__(self, target_llm: str, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._target_llm = target_llm
        self._clock_s = clock_s
        self._logged_at_s: dict[tuple[str, ...], float] = {}
        for reason in OUR_REASONS:
            FAIL_OPENS.labels(reason, target_llm)
        for tier in ("encoder", "instant"):
            for reason in TIER_REASONS:
                TIER_FAILURES.labels(tier, reason, target_llm)

    def note_fail_open(self, reason: str) -> None:
        """A request goes on with the median's place: neither tier has found one for it."""
        FAIL_OPENS.labels(reason, self._target_llm).inc()
        if reason in OUR_REASONS and self._is_time_to_say("fail-open", reason):
            logger.warning("A request takes the median's place, since no tier of the ranker placed it: %s.", reason)

    def note_tier(self, tier: Tier, reason: str, error: BaseException | None = None) -> None:
        """A tier cannot read a request, whether the other one can or not."""
        TIER_FAILURES.labels(tier, reason, self._target_llm).inc()
        if self._is_time_to_say(tier, reason):
            detail = type(error).__name__ if error else "out of time"  # an exception's words could quote the prompt
            logger.warning("The %s tier of the ranker has failed: %s (%s).", tier, reason, detail)

    def _is_time_to_say(self, *what: str) -> bool:
        now_s = self._clock_s()
        if now_s - self._logged_at_s.get(what, -LOG_EVERY_S) < LOG_EVERY_S:
            return False
        self._logged_at_s[what] = now_s
        return True


def reason_of_error(error: BaseException) -> str:
    """What a tier's failure is called."""
    return "not_finite" if isinstance(error, FloatingPointError) else "error"
