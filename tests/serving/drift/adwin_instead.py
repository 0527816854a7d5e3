"""What ADWIN, river's other detector, would find over the same blocks: `python -m tests.serving.drift.adwin_instead`.

40 times 1,000 answers as the card says, then 1,500 whose true tau is lower by 0.15; half a minute on one core.
"""

import numpy as np
from river.drift import ADWIN

from serving.drift.detectors import BLOCK_ANSWERS
from serving.drift.figures import figures_of
from tests.serving.drift.planted_answers import LENGTHS, Values, answers, planted

TAU, FALL, BEFORE, AFTER, TIMES = 0.65, 0.15, 1000, 1500, 40
CHATS = LENGTHS["chats, spread 0.9"]


def tau_of_blocks(tau: float, count: int, rng: np.random.Generator) -> list[float]:
    """Of answers in a row."""
    heard = answers(*planted(tau, count, rng, CHATS))
    blocks = (heard[start : start + BLOCK_ANSWERS] for start in range(0, count, BLOCK_ANSWERS))
    return [figures_of(block).kendall_tau_b for block in blocks]


def blocks_to_alarm(detector: ADWIN, values: list[float] | Values) -> int | None:
    """How many values it takes; None if there is no alarm."""
    for place, value in enumerate(values):
        detector.update(value)
        if detector.drift_detected:
            return place + 1
    return None


def main() -> None:
    """Print a row for each confidence."""
    rng = np.random.default_rng(0)
    quiet = [tau_of_blocks(TAU, BEFORE, rng) for _ in range(TIMES)]
    fallen = [tau_of_blocks(TAU - FALL, AFTER, rng) for _ in range(TIMES)]
    for delta in (0.002, 0.05, 0.3):
        found = []
        for before, after in zip(quiet, fallen, strict=True):
            detector = ADWIN(delta=delta, clock=1, grace_period=5)
            blocks_to_alarm(detector, before)
            found.append(blocks_to_alarm(detector, after))
        delays = [BLOCK_ANSWERS * one for one in found if one is not None]
        print(f"ADWIN, delta {delta}: found in {len(delays)} of {TIMES}, after {sorted(delays)} answers")  # noqa: T201


if __name__ == "__main__":
    main()
