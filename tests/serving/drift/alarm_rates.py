"""How soon planted drift is found, and how often there is an alarm where nothing has changed.

`python -m tests.serving.drift.alarm_rates [STRETCHES] [TOO_HIGH]`: for each kind of lengths and each tau of the card,
stretches of 5,000 answers that are as the card says, of which an alarm would be false; and as many times 1,000 such
answers followed by 500 whose true tau is lower by 0.15. All detectors count. With TOO_HIGH the card says so much more
than is true, as one does by chance that was tested on few prompts. Three minutes for 20 stretches on one core.
"""

import sys
from itertools import product

import numpy as np

from serving.drift.target_drift import TargetDrift
from tests.serving.drift.planted_answers import LENGTHS, answers, first_alarm, planted, reference

QUIET, BEFORE, AFTER, FALL = 5000, 1000, 500, 0.15
TAUS = (0.45, 0.55, 0.65, 0.75)


def main(stretches: int, too_high: float) -> None:
    """Print a row for each case, and the sums."""
    false_alarms = 0
    for (name, lengths), tau in product(LENGTHS.items(), TAUS):
        rng, card = np.random.default_rng(int(100 * tau)), reference(tau + too_high, lengths)
        false, delays = 0, []
        for _ in range(stretches):
            false += first_alarm(TargetDrift(card), answers(*planted(tau, QUIET, rng, lengths))) is not None
            drift = TargetDrift(card)
            if first_alarm(drift, answers(*planted(tau, BEFORE, rng, lengths))) is None:
                delays.append(first_alarm(drift, answers(*planted(tau - FALL, AFTER, rng, lengths))))
        found = sorted(one for one in delays if one is not None)
        false_alarms += false
        print(  # noqa: T201
            f"{name}, tau {tau}: {false} of {stretches} quiet stretches with a false alarm; a fall by {FALL} found"
            f" within {AFTER} answers in {len(found)} of {len(delays)}, median {np.median(found):.0f}",
            flush=True,
        )
    print(f"In all {false_alarms} of {stretches * len(LENGTHS) * len(TAUS)}.")  # noqa: T201


if __name__ == "__main__":
    given = sys.argv[1:]
    main(int(given[0]) if given else 20, float(given[1]) if len(given) > 1 else 0.0)
