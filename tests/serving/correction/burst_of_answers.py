"""How far a burst takes a factor from the truth: `python -m tests.serving.correction.burst_of_answers`.

300 answers begin together and grow alike, all 1.2 times as long as predicted but for a normal error of 0.7 in their
logarithms. Prints the error of the log of the factor when shares of them are over, and that of the plain mean of those
that are: means over seeds.
"""

import sys
from functools import partial
from math import log

import numpy as np
import numpy.typing as npt

from serving.correction.censored_mean import SPREAD
from serving.correction.target_correction import STALE_S, TargetCorrection
from serving.origin import NOBODY

SHARES = (0.1, 0.3, 0.6, 0.9)
ANSWERS, TIMES = 300, 1.2


def _above(tokens: list[float], predicted: float) -> float:
    return log(tokens[0] / predicted)


def logs_in_a_burst(seed: int) -> tuple[list[float], list[float]]:
    """The log of the factor at each share, and the plain mean."""
    rng = np.random.default_rng(seed)
    predicted = rng.lognormal(5, 1, ANSWERS)
    log_ratios = rng.normal(log(TIMES), SPREAD, ANSWERS)
    lengths = predicted * np.exp(log_ratios)
    now_s, tokens = [0.0], [1.0]
    target = TargetCorrection("digest", lambda: now_s[0])
    runs = [target.begin(NOBODY, partial(_above, tokens, one)) for one in predicted]
    order = np.argsort(lengths)
    estimated, plain = [], []
    for place, index in enumerate(order, start=1):
        tokens[0] = lengths[index]
        target.end(runs[index], float(log_ratios[index]), is_whole=True)
        if place in [round(ANSWERS * share) for share in SHARES]:
            now_s[0] += 2 * STALE_S
            target.look()
            estimated.append(log(target.factor(NOBODY)))
            plain.append(float(log_ratios[order[:place]].mean()))
    return estimated, plain


def errors_in_a_burst(seeds: int) -> npt.NDArray[np.float64]:
    """[estimate and plain mean, shares]."""
    means: npt.NDArray[np.float64] = np.mean([logs_in_a_burst(seed) for seed in range(seeds)], axis=0) - log(TIMES)
    return means


if __name__ == "__main__":
    for name, errors in zip(("factor", "plain mean"), errors_in_a_burst(20), strict=True):
        sys.stdout.write(f"{name}: {', '.join(f'{one:+.2f}' for one in errors)} at {SHARES}\n")
