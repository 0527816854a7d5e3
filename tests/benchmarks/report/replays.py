"""Made-up replays whose truth is known, and how often an interval holds it. 2,000 of each kind, some minutes:

python -m tests.benchmarks.report.replays
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from benchmarks.report.intervals import Uncertainty, log_mean
from benchmarks.report.runs import Values, runs_of

TRUE_S_PER_TOKEN = {"fcfs": 0.4, "pars": 0.1, "oracle": 0.07, "control": 0.4}
REQUESTS = 300
OF_REQUEST, OF_BOTH, OF_QUEUE, OF_POLICY = 0.9, 0.45, 0.5, 0.3
"""Standard deviations of the logarithms: of a request under all policies and under one, and of places in the queue."""
KEPT = 0.8
"""What the next request in the queue keeps of the fate of the one before."""
NOISES = {"no": 0.0, "usual": 0.03, "strong": 0.15}
"""Standard deviation of the logarithm of a run: runs of one policy on our machine differ by some 3 %."""


def made_up(seed: int, repeats: int, noise: float, policies: Sequence[str] = tuple(TRUE_S_PER_TOKEN)) -> pd.DataFrame:
    """Answers of replays: each pair of repeats sends the same requests in an order of its own and its reverse.

    Every factor has the mean 1, so the mean seconds per token of a policy are those of `TRUE_S_PER_TOKEN`.
    """
    rng = np.random.default_rng([seed, repeats])
    tokens = np.maximum(1, rng.lognormal(4, 1, REQUESTS)).astype(int)
    common = OF_REQUEST * rng.standard_normal(REQUESTS)
    own = {policy: common + OF_BOTH * rng.standard_normal(REQUESTS) for policy in policies}
    frames = []
    for repeat in range(repeats):
        if repeat % 2 == 0:
            sent, queue = rng.permutation(REQUESTS), OF_QUEUE * _fates(rng)
        order = sent[:: -1 if repeat % 2 else 1]
        for policy in policies:
            places = (queue + OF_POLICY * _fates(rng)) + noise * rng.standard_normal()
            variance = OF_REQUEST**2 + OF_BOTH**2 + OF_QUEUE**2 + OF_POLICY**2 + noise**2
            s_per_token = TRUE_S_PER_TOKEN[policy] * np.exp(own[policy][order] + places - variance / 2)
            rows = {"request": order, "output_tokens": tokens[order], "e2e_s": s_per_token * tokens[order]}
            frames.append(pd.DataFrame(rows).assign(policy=policy, repeat=repeat))
    answers = pd.concat(frames, ignore_index=True)
    return answers.assign(load=np.nan, sent_s=0.0, prompt_tokens=9, ttft_s=answers.e2e_s / 2)


def _fates(rng: np.random.Generator) -> Values:
    """Of neighbours in a queue, standard normal each."""
    start_up = 50
    drawn = rng.standard_normal(start_up + REQUESTS)
    return np.asarray(lfilter([(1 - KEPT**2) ** 0.5], [1, -KEPT], drawn))[start_up:]


def holds_truth(answers: pd.DataFrame, policy: str = "pars") -> bool:
    """Whether the interval of FCFS ÷ policy does; what `compare` says, without all that else it says."""
    runs = runs_of(answers)
    fcfs, other = runs.policies.index("fcfs"), runs.policies.index(policy)
    values = runs.values("s_per_token")
    means = values.reshape(len(runs.policies), -1).mean(axis=1)
    error = np.log(means[fcfs] / means[other]) - np.log(TRUE_S_PER_TOKEN["fcfs"] / TRUE_S_PER_TOKEN[policy])
    return bool(abs(error) <= Uncertainty(runs, log_mean(values)).of_ratio(fcfs, other))


def coverage(replays: int, repeats: int, noise: float, policies: Sequence[str] = tuple(TRUE_S_PER_TOKEN)) -> float:
    """Share of made-up replays whose interval holds the truth."""
    return float(np.mean([holds_truth(made_up(seed, repeats, noise, policies)) for seed in range(replays)]))


def main(replays: int = 2000) -> None:
    """Print the coverage of each kind of replay."""
    for policies in (tuple(TRUE_S_PER_TOKEN), ("fcfs", "pars")):
        for repeats in (1, 2, 4):
            for name, noise in NOISES.items() if repeats > 1 else [("no", 0.0)]:
                share = coverage(replays, repeats, noise, policies)
                print(f"{len(policies)} policies, {repeats} repeats, {name} noise ({noise:g}): {share:.1%}")  # noqa: T201


if __name__ == "__main__":
    main()
