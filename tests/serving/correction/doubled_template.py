"""How soon a template whose answers double is ordered as before: `python -m tests.serving.correction.doubled_template`.

Two templates whose lengths a ranker predicts without bias, with a normal error of their logarithms. The answers of one
double from one moment on. After each answer of it: the share of pairs, of a request of either template, whose
corrected predictions stand in the right order. Means over seeds, beside what it was before.
"""

import sys

import numpy as np
import numpy.typing as npt

from serving.correction.censored_mean import SPREAD
from serving.correction.target_correction import TargetCorrection
from serving.origin import Origin

STEADY, DOUBLED = Origin(template="steady"), Origin(template="doubled")
ANSWERS_BEFORE, ANSWERS_AFTER, PAIRS = 200, 80, 20_000
MARGIN = 0.005
"""Of pair accuracy: nearer to what a ranker without any error of its templates reaches counts as there."""


def pair_accuracy(factors: tuple[float, float], rng: np.random.Generator) -> float:
    """Of pairs whose second request is answered twice as long as a ranker foresees, by corrected predictions."""
    predicted = rng.lognormal(5, 1, (PAIRS, 2))
    true = predicted * rng.lognormal(0, SPREAD, (PAIRS, 2)) * (1, 2)
    corrected = predicted * factors
    return float(np.mean((corrected[:, 1] > corrected[:, 0]) == (true[:, 1] > true[:, 0])))


def accuracies(seed: int) -> npt.NDArray[np.float64]:
    """Where both factors are right; then after each answer that has come since, none first."""
    rng = np.random.default_rng(seed)
    target = TargetCorrection("digest", clock_s=iter(range(10**9)).__next__)

    def answered(origin: Origin, times: float) -> None:
        log_ratio = float(rng.normal(np.log(times), SPREAD))
        target.end(target.begin(origin, lambda: -np.inf), log_ratio, is_whole=True)
        target.look()

    for _ in range(ANSWERS_BEFORE):
        answered(STEADY, 1)
        answered(DOUBLED, 1)
    found = [pair_accuracy((1, 2), rng)]
    for _ in range(ANSWERS_AFTER):
        found.append(pair_accuracy((target.factor(STEADY), target.factor(DOUBLED)), rng))
        answered(STEADY, 1)
        answered(DOUBLED, 2)
    return np.array(found)


def answers_until_as_before(seeds: int) -> tuple[int, npt.NDArray[np.float64]]:
    """After how many answers the mean over seeds is as where both factors are right, and all means."""
    means = np.mean([accuracies(seed) for seed in range(seeds)], axis=0)
    return int(np.flatnonzero(means[1:] >= means[0] - MARGIN)[0]), means


if __name__ == "__main__":
    number, all_means = answers_until_as_before(40)
    later = ", ".join(f"{all_means[1 + after]:.3f}" for after in (0, 5, 10, 20, 50))
    sys.stdout.write(f"{number} answers; pair accuracy {all_means[0]:.3f}, after 0, 5, 10, 20, 50 answers {later}\n")
